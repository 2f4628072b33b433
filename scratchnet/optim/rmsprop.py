"""RMSprop: divide the gradient by a running root mean square of itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scratchnet.core.layer import require
from scratchnet.core.types import Array

from .optimizer import Optimizer

if TYPE_CHECKING:
    from scratchnet_kernels import OpTable


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """s = α s + (1-α) d²;  u = d/(√s + eps);  p -= lr·u, or with momentum v = momentum·v + u, p -= lr·v.

    d = g + weight_decay·p. Centred, √s becomes √max(s - a², 0) with a = α a + (1-α) d. Hinton (2012), lecture 6e;
    centred: Graves (2013), eq. 38-45, with PyTorch's eps outside the root. PyTorch lacks the maximum, and so divides
    by NaN where rounding leaves s - a² below zero.

    Args:
        lr: learning rate.
        alpha: how much of the mean square stays a step.
        eps: keeps the division finite.
        momentum: 0 keeps no velocity.
        centered: divide by a standard deviation and not by a root mean square.
        weight_decay: adds weight_decay·p to the gradient.

    Raises:
        ConfigError: a setting without meaning.
    """

    lr: float = 1e-2
    alpha: float = 0.99
    eps: float = 1e-8
    momentum: float = 0.0
    centered: bool = False
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        require(0 <= self.lr < math.inf, "the learning rate is not negative, and finite", actual=self.lr)
        require(0 <= self.alpha < 1, "alpha lies in [0, 1)", actual=self.alpha)
        require(self.eps >= 0, "eps is not negative", actual=self.eps)
        require(0 <= self.momentum < 1, "momentum lies in [0, 1)", actual=self.momentum)
        require(self.weight_decay >= 0, "weight_decay is not negative", actual=self.weight_decay)

    @property
    def slots(self) -> tuple[str, ...]:
        """The mean square; where asked for, the mean and the velocity."""
        mean = ("mean",) if self.centered else ()
        return ("mean_square", *mean, "velocity") if self.momentum else ("mean_square", *mean)

    def update(
        self,
        k: OpTable,
        p: Array,
        g: Array,
        state: dict[str, Array],
        hyper: Array,
        lr: float,
        decay: float,
        zero: bool = False,
    ) -> None:
        """One pass over the stretch."""
        slots = state["mean_square"], state.get("mean"), state.get("velocity")
        settings = self.alpha, self.eps, self.momentum, self.weight_decay * decay, lr, zero
        k.rmsprop(p, g, *slots, hyper, *settings)
