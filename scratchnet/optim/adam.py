"""Adam: follow a running mean of the gradient, each parameter at a pace of its own."""

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
class Adam(Optimizer):
    """m = β1 m + (1-β1) d;  v = β2 v + (1-β2) d²;  p -= lr · m/(1-β1ᵗ) / (√(v/(1-β2ᵗ)) + eps).

    d = g + weight_decay·p; t counts the steps from 1. Kingma & Ba (2015), algorithm 1; PyTorch's form, eps outside
    the root. A decay in the gradient is divided by √v like the rest of it; `AdamW` has one that is not.

    Args:
        lr: learning rate.
        beta1: how much of the mean stays a step.
        beta2: how much of the mean square stays a step.
        eps: keeps the division finite.
        weight_decay: adds weight_decay·p to the gradient.

    Raises:
        ConfigError: a setting without meaning.
    """

    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        require(0 <= self.lr < math.inf, "the learning rate is not negative, and finite", actual=self.lr)
        require(0 <= self.beta1 < 1, "beta1 lies in [0, 1)", actual=self.beta1)
        require(0 <= self.beta2 < 1, "beta2 lies in [0, 1)", actual=self.beta2)
        require(self.eps >= 0, "eps is not negative", actual=self.eps)
        require(self.weight_decay >= 0, "weight_decay is not negative", actual=self.weight_decay)

    @property
    def slots(self) -> tuple[str, ...]:
        """The running means of the gradient and of its square."""
        return ("m", "v")

    @property
    def decoupled(self) -> bool:
        """Whether the decay acts on p directly."""
        return False

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
        settings = self.beta1, self.beta2, self.eps, self.weight_decay * decay, self.decoupled, lr, zero
        k.adam(p, g, state["m"], state["v"], hyper, *settings)
