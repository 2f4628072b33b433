"""The logits, and what a softmax makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.core.loss import Loss
from scratchnet.core.types import Array
from scratchnet.losses import SoftmaxCrossEntropy

from ..records import OutputLook

SURE = 0.999  # a largest probability above this is saturated
SUM = 1e-3  # how far a row of probabilities may be from 1


def classes_of(loss: Loss, output_shape: tuple[int, ...]) -> int | None:
    """How many classes the network can name; None where the loss is none over classes."""
    return output_shape[0] if isinstance(loss, SoftmaxCrossEntropy) and len(output_shape) == 1 else None


def labels_of(targets: Any, classes: int | None) -> Array | None:
    """Class numbers (N,), as they are given or the largest of probabilities (N, C); None where they are none."""
    y = np.asarray(targets)
    if classes is None or y.ndim not in (1, 2) or len(y) == 0:
        return None
    if y.ndim == 1:
        return y.astype(np.int64, copy=False) if y.dtype.kind in "iu" else None
    return y.argmax(1) if y.shape[1] == classes and y.dtype.kind == "f" else None


def output_look(logits: Any, targets: Any, classes: int | None) -> OutputLook | None:
    """Of logits (N, C). Rows that are not finite are counted and left out, as are labels that no class has."""
    labels = labels_of(targets, classes)
    if labels is None or not isinstance(logits, np.ndarray) or logits.shape != (len(labels), classes):
        return None
    good = np.isfinite(logits).all(1)
    wrong = int(logits.size - np.count_nonzero(np.isfinite(logits)))
    z, t = logits.astype(np.float64), labels
    if not good.all():
        z, t, targets = z[good], t[good], np.asarray(targets)[good]
    if len(z) == 0:
        return OutputLook(classes=classes, nonfinite=wrong)
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    log_p = np.log(np.maximum(p, 1e-300))
    predicted = z.argmax(1)
    counts = np.bincount(predicted, minlength=z.shape[1])
    known, wanted = _wanted(t, np.asarray(targets), z.shape[1])
    surprise, off = (wanted * _log_softmax(z)).sum(1), p - wanted
    return OutputLook(
        classes=classes,
        mean=float(z.mean()),
        std=float(z.std()),
        entropy=float(-(p * log_p).sum(1).mean()),
        top_class=int(counts.argmax()),
        top_share=float(counts.max() / len(z)),
        saturated=float((p.max(1) > SURE).mean()),
        normalised=bool((z >= 0).all() and (abs(z.sum(1) - 1) < SUM).all()),
        correct=int((predicted == t)[known].sum()),
        loss=float(-surprise[known].mean()) if known.any() else None,
        error=float(np.sqrt((off * off).sum(1))[known].mean()) if known.any() else None,
        nonfinite=wrong,
    )


def _wanted(labels: Array, targets: Array, classes: int) -> tuple[Array, Array]:
    """(which labels name a class (N,), the probabilities that are wanted (N, C))."""
    if targets.ndim == 2:
        return np.ones(len(labels), bool), targets
    known = (labels >= 0) & (labels < classes)
    wanted = np.zeros((len(labels), classes))
    wanted[np.flatnonzero(known), labels[known]] = 1
    return known, wanted


def _log_softmax(z: Array) -> Array:
    """log softmax, stable."""
    z = z - z.max(1, keepdims=True)
    return np.asarray(z - np.log(np.exp(z).sum(1, keepdims=True)))
