"""The logits, and what a softmax makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.core.loss import Loss
from scratchnet.core.types import Array
from scratchnet.losses import SoftmaxCrossEntropy

from ...history.records import OutputLook

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
    z, t, wanted, wrong = logits.astype(np.float64), labels, np.asarray(targets), 0
    if not np.isfinite(z).all():
        good = np.isfinite(z).all(1)
        wrong = int(z.size - np.count_nonzero(np.isfinite(z)))
        z, t, wanted = z[good], t[good], wanted[good]
        if len(z) == 0:
            return OutputLook(classes=classes, nonfinite=wrong)
    log_p = z - z.max(1, keepdims=True)
    p = np.exp(log_p)
    total = p.sum(1, keepdims=True)
    log_p -= np.log(total)
    p /= total
    predicted = z.argmax(1)
    counts = np.bincount(predicted, minlength=z.shape[1])
    known, q = _wanted(t, wanted, z.shape[1])
    any_known, off = bool(known.any()), p - q
    return OutputLook(
        classes=classes,
        mean=float(z.mean()),
        std=float(z.std()),
        entropy=float(-(p * log_p).sum() / len(z)),
        top_class=int(counts.argmax()),
        top_share=int(counts.max()) / len(z),
        saturated=int(np.count_nonzero(p.max(1) > SURE)) / len(z),
        normalised=bool(z.min() >= 0 and abs(z.sum(1) - 1).max() < SUM),
        correct=int(np.count_nonzero((predicted == t)[known])),
        loss=float(-(q * log_p)[known].sum() / np.count_nonzero(known)) if any_known else None,
        error=float(np.sqrt(np.einsum("nc,nc->n", off, off))[known].mean()) if any_known else None,
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
