"""SGD: follow the gradient downhill, with momentum if asked."""

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
class SGD(Optimizer):
    """d = g + weight_decay·p;  v = momentum·v + d;  p -= lr·v, or lr·(d + momentum·v) with Nesterov.

    PyTorch's form (momentum without dampening; Sutskever et al. 2013 for Nesterov's).

    Args:
        lr: learning rate.
        momentum: 0 keeps no velocity.
        nesterov: look ahead along the velocity; needs momentum.
        weight_decay: adds weight_decay·p to the gradient.

    Raises:
        ConfigError: a setting without meaning.
    """

    lr: float
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        require(0 <= self.lr < math.inf, "the learning rate is not negative, and finite", actual=self.lr)
        require(0 <= self.momentum < 1, "momentum lies in [0, 1)", actual=self.momentum)
        require(self.weight_decay >= 0, "weight_decay is not negative", actual=self.weight_decay)
        require(not self.nesterov or self.momentum > 0, "Nesterov needs momentum", hint="momentum=0.9")

    @property
    def slots(self) -> tuple[str, ...]:
        """The velocity, where there is momentum."""
        return ("velocity",) if self.momentum else ()

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
        settings = self.momentum, self.nesterov, self.weight_decay * decay, lr, zero
        k.sgd(p, g, state.get("velocity"), hyper, *settings)
