"""Mean squared error: how far off, with large misses counting most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scratchnet.core.case import Draw
from scratchnet.core.loss import Loss, LossCase, loss
from scratchnet.core.types import Array

from ._same_shape import Reduction, Saved, admit_same_shape, check_reduction

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


@loss
class MSE(Loss):
    """L = Σ (z - t)² / n over all n elements, in squared units of t. PyTorch's mse_loss: n counts every element.

    Shapes: z and t (N, ...), the same.
    Derivative: dz = 2 (z - t) / n.

    Args:
        reduction: "mean", or "sum" for no division.

    Raises:
        ShapeError: shapes differ; nothing is broadcast.
        DtypeError: targets are whole numbers.
        TargetError: a target is NaN.
    """

    reduction: Reduction = "mean"

    def __post_init__(self) -> None:
        check_reduction(self.reduction)

    def admit(self, logits: Array, targets: Array) -> Array:
        """Floats shaped like the logits."""
        return admit_same_shape(self, logits, targets)

    def forward(self, k: OpTable, logits: Array, targets: Array, run: Run) -> tuple[Array, Saved]:
        """L = Σ (z - t)² / n."""
        value = run.empty((), logits.dtype)
        k.mse(logits, targets, value, self.reduction == "mean")
        return value, Saved(logits, targets)

    def backward(self, k: OpTable, saved: Saved, dvalue: Array, run: Run) -> Array:
        """Of L = Σ (z - t)² / n: dz = dvalue · 2 (z - t) / n."""
        dz = run.empty(saved.z.shape, saved.z.dtype)
        k.mse_backward(saved.z, saved.t, dvalue, dz, self.reduction == "mean")
        return dz

    @classmethod
    def cases(cls, draw: Draw) -> LossCase:
        """Any shape; some elements equal to their target."""
        shape = draw.one_of((4,), (3, 1), (2, 5), (2, 3, 4))
        return LossCase(cls(draw.one_of("mean", "sum")), shape, targets=draw.one_of("normal", "ties"))
