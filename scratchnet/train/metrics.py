"""Metrics as sums over counts: nothing is averaged twice, and parts merge to exactly the whole."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from scratchnet.core.errors import ConfigError, DtypeError, ShapeError, TargetError

from .errors import NonFiniteError

Array = np.ndarray[Any, Any]


TOP = 5
_ONE = 1 << 1074
"""The sum of the losses is a whole number of 2⁻¹⁰⁷⁴, of which every float is one: it is exact, in any order."""


class Counts:
    """How often class t was taken for class p, and the sum of the losses.

        counts = Counts(10, split="val")
        for x, y in batches: counts.add(net.predict(x), y)
        counts.accuracy

    `matrix[t, p]` is the number of samples of class t whose largest logit was that of class p (the first of equal
    ones); `top5` that of the samples whose own class was among the first five. All rates are quotients of exact sums,
    so a ragged last batch weighs what it holds, accuracy × total is a whole number, and `a + b` is to the bit what one
    pass over both would have counted.

    Raises ConfigError where a rate of zero samples is asked for: nothing was measured, which is not 0.
    """

    def __init__(self, classes: int, split: str | None = None) -> None:
        if classes < 1:
            raise ConfigError("there is at least one class", actual=classes)
        self.matrix = np.zeros((classes, classes), np.int64)
        self.split = split
        self.top5 = 0
        self.loss_total = 0  # samples whose loss was given
        self._losses = 0  # the sum of those that are finite
        self._lost = 0.0  # and of those that are not

    def add(self, logits: Array, labels: Array, loss: float | None = None) -> None:
        """Count a batch.

        Args:
            logits: (N, C).
            labels: (N,) class indices.
            loss: the mean loss over the batch, if known.

        Raises:
            ShapeError, DtypeError, TargetError: logits and labels do not fit.
            NonFiniteError: a logit is NaN; such a row has no largest one.
        """
        classes = len(self.matrix)
        if not isinstance(logits, np.ndarray) or not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iu":
            actual = [str(a.dtype) if isinstance(a, np.ndarray) else type(a).__name__ for a in (logits, labels)]
            raise DtypeError(
                "cannot be counted", expected="an array, an array of whole numbers", actual=", ".join(actual)
            )
        if logits.ndim != 2 or logits.shape[1] != classes or labels.shape != logits.shape[:1]:
            expected = f"logits (N, {classes}), labels (N,)"
            raise ShapeError("cannot be counted", expected=expected, actual=f"{logits.shape}, {labels.shape}")
        if labels.size and (labels.min() < 0 or labels.max() >= classes):
            wrong = int(np.argmax((labels < 0) | (labels >= classes)))
            raise TargetError(
                "a label is out of range", where=f"labels[{wrong}]", expected=f"0..{classes - 1}", actual=labels[wrong]
            )
        if np.isnan(logits).any():
            raise NonFiniteError(
                "the network puts out NaN",
                where=f"row {int(np.argmax(np.isnan(logits).any(1)))} of the batch",
                expected="numbers",
                hint="the weights have been destroyed, most often by too large a learning rate",
            )
        taken = logits.argmax(1)  # (N, C) -> (N,)
        pairs = np.bincount(labels.astype(np.int64) * classes + taken, minlength=classes * classes)
        self.matrix += pairs.reshape(classes, classes)  # (C*C,) -> (C, C)
        self.top5 += len(labels) if classes <= TOP else int(np.count_nonzero(_rank(logits, labels) < TOP))
        if loss is not None:
            self._add_loss(float(loss), len(labels))

    def __add__(self, other: Counts) -> Counts:
        """The counts of both."""
        if None not in (self.split, other.split) and self.split != other.split:
            raise ConfigError("counts of different splits", expected=self.split, actual=other.split)
        both = Counts(len(self.matrix), self.split or other.split)
        if other.matrix.shape != self.matrix.shape:
            raise ShapeError("counts of different classes", expected=len(self.matrix), actual=len(other.matrix))
        both.matrix[...] = self.matrix + other.matrix
        both.top5 = self.top5 + other.top5
        both.loss_total = self.loss_total + other.loss_total
        both._losses, both._lost = self._losses + other._losses, self._lost + other._lost
        return both

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of a half-done epoch."""
        return dict(vars(self))

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on counting where another one, of as many classes, stood. Raises ConfigError for anything else."""
        own = vars(self)
        if set(state) != set(own) or np.shape(state["matrix"]) != self.matrix.shape:
            raise ConfigError("these are no counts of as many classes", expected=f"{len(self.matrix)} classes")
        own.update(state)

    def _add_loss(self, mean: float, samples: int) -> None:
        self.loss_total += samples
        if math.isfinite(mean):
            numerator, denominator = mean.as_integer_ratio()  # which is a power of 2
            self._losses += numerator * samples * (_ONE // denominator)
        else:
            self._lost += mean

    @property
    def total(self) -> int:
        """Samples counted."""
        return int(self.matrix.sum())

    @property
    def correct(self) -> int:
        """Samples whose class was found."""
        return int(np.trace(self.matrix))

    @property
    def accuracy(self) -> float:
        """correct / total."""
        return self._quotient(self.correct, self.total)

    @property
    def top5_accuracy(self) -> float:
        """top5 / total."""
        return self._quotient(self.top5, self.total)

    @property
    def loss(self) -> float:
        """The mean loss over the samples whose loss was given: the exact one, rounded once. NaN and inf stay so."""
        if self._lost != 0:  # NaN is not 0 either
            return self._lost
        return self._quotient(self._losses, self.loss_total * _ONE)

    @property
    def per_class(self) -> list[float | None]:
        """The accuracy within each class; None for a class without samples."""
        sizes, hits = self.matrix.sum(1).tolist(), np.diagonal(self.matrix).tolist()
        return [hit / size if size else None for hit, size in zip(hits, sizes, strict=True)]

    @property
    def predicted(self) -> list[int]:
        """How often each class was the answer."""
        return [int(n) for n in self.matrix.sum(0)]

    def deviations(self) -> list[float | None]:
        """How far each class's accuracy lies from that of all others together, in standard errors.

        The z statistic of two proportions with a pooled rate p:  (a − b) / √(p (1 − p) (1/n_a + 1/n_b)).
        None where it has no meaning: a class without samples, a single class, or a rate that is 0 or 1 throughout.
        """
        sizes, hits, n, k = self.matrix.sum(1).tolist(), np.diagonal(self.matrix).tolist(), self.total, self.correct
        found: list[float | None] = []
        for size, hit in zip(sizes, hits, strict=True):
            if not 0 < size < n or k in (0, n):
                found.append(None)
            else:
                spread = k / n * (1 - k / n) * (1 / size + 1 / (n - size))
                found.append((hit / size - (k - hit) / (n - size)) / math.sqrt(spread))
        return found

    def _quotient(self, part: int, whole: int) -> float:
        if whole == 0:
            raise ConfigError(
                "no samples were counted, so there is no rate",
                where=self.split,
                expected="at least 1 sample",
                actual=0,
                hint="a loop over zero batches measures nothing; look at the batch size and drop_last",
            )
        return part / whole


def _rank(logits: Array, labels: Array) -> Array:
    """How many classes come before each sample's own: those of a larger logit, and the earlier of equal ones."""
    own = np.take_along_axis(logits, labels[:, None].astype(np.intp), 1)  # (N, C), (N,) -> (N, 1)
    earlier = np.arange(logits.shape[1]) < labels[:, None]  # (C,), (N, 1) -> (N, C)
    ranks: Array = ((logits > own) | ((logits == own) & earlier)).sum(1)  # (N, C) -> (N,)
    return ranks
