"""Softmax cross-entropy: how surprised the network is by the true class."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scratchnet.core.case import Draw
from scratchnet.core.errors import DtypeError, ShapeError, TargetError
from scratchnet.core.layer import require
from scratchnet.core.loss import Loss, LossCase, loss
from scratchnet.core.types import Array

from ._same_shape import Reduction, check_reduction, refuse_nan

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """The probabilities, the targets, the class weights and the normaliser."""

    q: Array
    t: Array
    w: Array | None
    total: Array


@loss
class SoftmaxCrossEntropy(Loss):
    """L = -Σₙ w[tₙ] log softmax(z)[n, tₙ] / Σₙ w[tₙ], in nats.

    Shapes: z (N, C); targets either class indices (N,), or probabilities (N, C).
    Derivative: dz = (softmax(z) - onehot(t)) / N where nothing is weighted or smoothed.
    Label smoothing ε replaces the one-hot target by (1-ε)·onehot + ε/C (Szegedy et al. 2016). Weights, smoothing,
    `ignore_index` and both reductions mean what they mean in PyTorch's cross_entropy; as there, the mean over class
    indices divides by Σ w[tₙ], the mean over probabilities by N.

    Args:
        label_smoothing: ε, 0 <= ε <= 1.
        class_weights: a tuple, one weight a class, or None for 1 each.
        ignore_index: rows with this class index count for nothing.
        reduction: "mean" or "sum".

    Raises:
        ConfigError: a setting without meaning.
        TargetError: a class index outside 0..C-1, or nothing but ignored rows under the mean; a NaN.
        ShapeError, DtypeError: where logits and targets do not fit each other.
    """

    label_smoothing: float = 0.0
    class_weights: tuple[float, ...] | None = None
    ignore_index: int = -100
    reduction: Reduction = "mean"

    def __post_init__(self) -> None:
        require(0 <= self.label_smoothing <= 1, "label_smoothing lies in [0, 1]", actual=self.label_smoothing)
        weights = () if self.class_weights is None else self.class_weights
        require(
            isinstance(weights, tuple) and all(0 <= w < math.inf for w in weights),
            "class_weights is a tuple of numbers, none of them negative",
            actual=repr(self.class_weights),
        )
        check_reduction(self.reduction)

    def admit(self, logits: Array, targets: Array) -> Array:
        """Class indices or probabilities; every index is looked at."""
        if logits.ndim != 2:
            raise ShapeError("softmax cross-entropy takes logits (N, C)", expected="(N, C)", actual=logits.shape)
        n, classes = logits.shape
        if self.class_weights is not None and len(self.class_weights) != classes:
            raise ShapeError(
                "there is one class weight a class", expected=f"{classes} weights", actual=len(self.class_weights)
            )
        targets = np.asarray(targets)
        if targets.shape == (n, classes) and targets.dtype.kind in "fcO":
            refuse_nan(targets)
            return targets if targets.dtype == logits.dtype else targets.astype(logits.dtype)
        if targets.shape != (n,):
            raise ShapeError(
                "targets do not fit the logits",
                expected=f"({n},) class indices, or ({n}, {classes}) probabilities",
                actual=f"{targets.shape} of {targets.dtype}",
                hint=f"targets.astype(np.{logits.dtype})" if targets.shape == (n, classes) else None,
            )
        if targets.dtype.kind not in "iu":
            raise DtypeError("class indices are whole numbers", expected="int64", actual=targets.dtype)
        if (
            targets.dtype == np.int64
            and targets.view(np.uint64).max() < classes
            and not 0 <= self.ignore_index < classes
        ):
            return targets  # one pass, for a negative label is a huge unsigned one
        live = targets != self.ignore_index
        bad = live & ((targets < 0) | (targets >= classes))
        if bad.any():
            at = int(np.argmax(bad))
            raise TargetError(
                "a label is out of range", where=f"targets[{at}]", expected=f"0..{classes - 1}", actual=targets[at]
            )
        if self.reduction == "mean" and not live.any():
            raise TargetError("every target of the batch is ignore_index, so there is no mean", actual=f"{n} rows")
        return targets

    def forward(self, k: OpTable, logits: Array, targets: Array, run: Run) -> tuple[Array, Saved]:
        """L = -Σₙ Σ_c a[n, c] log q[n, c] / total."""
        q = run.empty(logits.shape, logits.dtype)
        value, total = run.empty((), logits.dtype), run.empty((), logits.dtype)
        w = None
        if self.class_weights is not None:
            w = np.asarray(self.class_weights, logits.dtype)
        if targets.ndim == 2:
            k.soft_cross_entropy(logits, targets, w, value, q, self.label_smoothing, self.reduction == "mean")
        else:
            mean = self.reduction == "mean"
            k.softmax_cross_entropy(logits, targets, w, value, q, total, self.label_smoothing, self.ignore_index, mean)
        return value, Saved(q, targets, w, total)

    def backward(self, k: OpTable, saved: Saved, dvalue: Array, run: Run) -> Array:
        """Of L: dz = dvalue/total · (q·Σ_c a - a)."""
        dz = run.empty(saved.q.shape, saved.q.dtype)
        if saved.t.ndim == 2:
            k.soft_cross_entropy_backward(
                saved.q, saved.t, saved.w, dvalue, dz, self.label_smoothing, self.reduction == "mean"
            )
        else:
            k.softmax_cross_entropy_backward(
                saved.q, saved.t, saved.w, saved.total, dvalue, dz, self.label_smoothing, self.ignore_index
            )
        return dz

    @classmethod
    def cases(cls, draw: Draw) -> LossCase:
        """Both kinds of target, every setting, unequal weights."""
        n, classes = draw.integer(2, 6), draw.integer(2, 7)
        weights = draw.one_of(None, tuple(0.5 + 0.25 * c for c in range(classes)))
        made = cls(draw.one_of(0.0, 0.1, 1.0), weights, draw.one_of(-100, 0, 1), draw.one_of("mean", "sum"))
        return LossCase(made, (n, classes), targets=draw.one_of("index", "probabilities"), classes=classes)
