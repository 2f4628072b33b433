"""Huber's loss: squared for small errors, absolute for large ones, so that outliers do not rule."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scratchnet.core.case import Draw
from scratchnet.core.layer import require
from scratchnet.core.loss import Loss, LossCase, loss
from scratchnet.core.types import Array

from ._same_shape import Reduction, Saved, admit_same_shape, check_reduction

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


@loss
class Huber(Loss):
    """L = Σ h(z - t) / n over all n elements, with h(d) = d²/2 where |d| < δ, else δ(|d| - δ/2).

    Shapes: z and t (N, ...), the same.
    Derivative: dz = d/n where |d| < δ, else δ sign(d)/n. It is continuous, so |d| = δ is no kink.
    Huber (1964), eq. 2.3; PyTorch's huber_loss.

    Args:
        delta: δ > 0, in units of t: where an error begins to be large.
        reduction: "mean", or "sum" for no division.

    Raises:
        ConfigError: delta is not a positive number.
        ShapeError: shapes differ; nothing is broadcast.
        DtypeError: targets are whole numbers.
        TargetError: a target is NaN.
    """

    delta: float = 1.0
    reduction: Reduction = "mean"

    def __post_init__(self) -> None:
        require(0 < self.delta < math.inf, "delta is a positive number", actual=self.delta)
        check_reduction(self.reduction)

    def admit(self, logits: Array, targets: Array) -> Array:
        """Floats shaped like the logits."""
        return admit_same_shape(self, logits, targets)

    def forward(self, k: OpTable, logits: Array, targets: Array, run: Run) -> tuple[Array, Saved]:
        """L = Σ h(z - t) / n."""
        value = run.empty((), logits.dtype)
        k.huber(logits, targets, value, self.delta, self.reduction == "mean")
        return value, Saved(logits, targets)

    def backward(self, k: OpTable, saved: Saved, dvalue: Array, run: Run) -> Array:
        """Of L = Σ h(z - t) / n: dz = dvalue · h'(z - t) / n."""
        dz = run.empty(saved.z.shape, saved.z.dtype)
        k.huber_backward(saved.z, saved.t, dvalue, dz, self.delta, self.reduction == "mean")
        return dz

    @classmethod
    def cases(cls, draw: Draw) -> LossCase:
        """Any shape, both sides of δ, some errors of exactly 0 and δ."""
        shape = draw.one_of((4,), (3, 1), (2, 5), (2, 3, 4))
        made = cls(draw.one_of(1.0, 0.5, 2.5), draw.one_of("mean", "sum"))
        return LossCase(made, shape, targets=draw.one_of("normal", "ties"))  # "ties" have errors of 0 and 1
