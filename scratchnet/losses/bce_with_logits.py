"""Binary cross-entropy: each output answers a yes-or-no question of its own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scratchnet.core.case import Draw
from scratchnet.core.errors import ShapeError
from scratchnet.core.layer import require
from scratchnet.core.loss import Loss, LossCase, loss
from scratchnet.core.types import Array

from ._same_shape import Reduction, admit_same_shape, check_reduction, refuse

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """Logits, targets, and the weights of "yes"."""

    z: Array
    t: Array
    w: Array | None


@loss
class BCEWithLogits(Loss):
    """L = -Σ [w t log σ(z) + (1-t) log(1 - σ(z))] / n over all n elements, in nats; σ(z) = 1/(1 + e⁻ᶻ).

    Shapes: z and t (N, ...), the same; t holds probabilities of "yes", 0 <= t <= 1.
    Derivative: dz = [(1-t) σ(z) - w t σ(-z)] / n, which is (σ(z) - t)/n where w = 1.
    Computed through softplus, so it is stable for any z. PyTorch's binary_cross_entropy_with_logits.

    Args:
        pos_weight: w: how much a "yes" counts, a number, or one number for each position of the last axis.
        reduction: "mean", or "sum" for no division. The mean divides by n, not by the weights' sum.

    Raises:
        ConfigError: a negative weight.
        ShapeError: shapes differ (nothing is broadcast), or the weights do not fit the last axis.
        DtypeError: targets are whole numbers.
        TargetError: a target is NaN or outside [0, 1].
    """

    pos_weight: float | tuple[float, ...] | None = None
    reduction: Reduction = "mean"

    def __post_init__(self) -> None:
        weights = self.pos_weight if isinstance(self.pos_weight, tuple) else (self.pos_weight or 0.0,)
        require(
            len(weights) > 0 and all(0 <= w < math.inf for w in weights),
            "pos_weight is a number or a tuple of numbers, none of them negative",
            actual=self.pos_weight,
        )
        check_reduction(self.reduction)

    def admit(self, logits: Array, targets: Array) -> Array:
        """Probabilities shaped like the logits."""
        if isinstance(self.pos_weight, tuple) and (logits.ndim < 2 or logits.shape[-1] != len(self.pos_weight)):
            raise ShapeError(
                "there is one pos_weight for each position of the last axis",
                expected=f"logits (N, ..., {len(self.pos_weight)})",
                actual=logits.shape,
            )
        targets = admit_same_shape(self, logits, targets)
        t = targets.real if targets.dtype.kind == "c" else targets
        if t.size and (t.min() < 0 or t.max() > 1):
            refuse(targets, (t < 0) | (t > 1), "a target is no probability", "0 <= t <= 1")
        return targets

    def forward(self, k: OpTable, logits: Array, targets: Array, run: Run) -> tuple[Array, Saved]:
        """L = Σ [(1-t) softplus(z) + w t softplus(-z)] / n."""
        value, w = run.empty((), logits.dtype), None
        if self.pos_weight is not None:
            w = np.atleast_1d(np.asarray(self.pos_weight, logits.dtype))
        k.bce_with_logits(logits, targets, w, value, self.reduction == "mean")
        return value, Saved(logits, targets, w)

    def backward(self, k: OpTable, saved: Saved, dvalue: Array, run: Run) -> Array:
        """Of L = Σ [(1-t) softplus(z) + w t softplus(-z)] / n: dz = dvalue · [(1-t) σ(z) - w t σ(-z)] / n."""
        dz = run.empty(saved.z.shape, saved.z.dtype)
        k.bce_with_logits_backward(saved.z, saved.t, saved.w, dvalue, dz, self.reduction == "mean")
        return dz

    @classmethod
    def cases(cls, draw: Draw) -> LossCase:
        """Any shape; no weight, one for all, one for each position."""
        shape = draw.one_of((4,), (3, 1), (2, 5), (2, 3, 4))
        each = tuple(0.5 + 0.75 * c for c in range(shape[-1])) if len(shape) > 1 else None
        made = cls(draw.one_of(None, 2.5, each), draw.one_of("mean", "sum"))
        return LossCase(made, shape, targets="unit")
