"""Dropout: train on random parts of the network, predict with the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scratchnet.core.case import Case, Draw
from scratchnet.core.layer import Layer, layer, require
from scratchnet.core.types import Array, Views

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """The number of the forward, from which the backward draws the same mask again. None: nothing was dropped."""

    seen: Array | None


@layer
class Dropout(Layer):
    """y = x·keep / (1 - rate) in training, y = x (the same array) in evaluation; elementwise on any shape.

    keep is 1 with probability 1 - rate, else 0, drawn for every element by itself; the division makes the mean of y
    that of x. Derivative: dx = dy·keep / (1 - rate). Srivastava et al. 2014, in the inverted form.
    The numbers come from Philox4x32-10, keyed by the network's seed, the layer's place and the number of the forward:
    they repeat exactly on every backend, and no mask is stored.

    Args:
        rate: the probability of dropping an element, 0 <= rate <= 1. At 1 all of y is zero, as in PyTorch.

    Raises:
        ConfigError: rate is no probability.
    """

    rate: float = 0.5

    def __post_init__(self) -> None:
        require(0 <= self.rate <= 1, "Dropout's rate is a probability", expected="0 <= rate <= 1", actual=self.rate)

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = x·keep / (1 - rate)."""
        if not run.training or self.rate == 0:
            return x, Saved(None)
        y, seen = run.empty(x.shape, x.dtype), run.empty((1,), np.int64)
        k.dropout(x, run.count, y, seen, run.key(), self.rate)
        return y, Saved(seen)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of y = x·keep / (1 - rate): dx = dy·keep / (1 - rate). Of y = x: dx = dy."""
        if not run.need_dx:
            return None
        if saved.seen is None:
            return dy
        dx = run.empty(dy.shape, dy.dtype)
        k.dropout_backward(saved.seen, dy, dx, run.key(), self.rate)
        return dx

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Every kind of rate, the ends included; sizes that do and do not fill blocks of four."""
        shape = draw.one_of((5,), (3, 4), (2, 3, 4), (17,))
        rate = draw.one_of(0.5, 0.1, 0.9, 0.0, 1.0)
        return Case(cls(rate), in_shape=shape, values=draw.one_of("normal", "ties", "large"), random=True)
