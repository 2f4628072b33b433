"""Do pictures and labels belong together? Asked of the nearest neighbours, without any network."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.optimize import linear_sum_assignment

from scratchnet.core.types import Array


class Neighbours:
    """The training samples that others are held against.

    Args:
        x, labels: (n, D), (n,): those that were drawn.
        rows: their numbers within the split.
        all_labels: the labels of the whole split.
    """

    REFERENCES: ClassVar[int] = 4000
    QUERIES: ClassVar[int] = 1000

    def __init__(self, x: Array, labels: Array, rows: Array, all_labels: Array) -> None:
        self._x, self._labels, self._rows = x.astype(np.float32), labels, rows
        self._squares = np.einsum("nd,nd->n", self._x, self._x)
        self._shares = _shares(all_labels)

    @property
    def features(self) -> int:
        """D."""
        return int(self._x.shape[1])

    def agreement(self, x: Array, labels: Array, rows: Array | None, all_labels: Array) -> dict[str, Any]:
        """The fields `agreement`, `chance`, `relabelled`, `agreed_on` of SplitFacts; none where nothing can be said.

        `rows`: the samples' numbers, where they are of the training split and must not meet themselves.
        """
        nearest = self._nearest(x.astype(np.float32), rows)
        good = nearest >= 0
        if good.sum() < 2:
            return {}
        own, theirs = labels[good], self._labels[nearest[good]]
        other = _shares(all_labels)
        chance = sum(share * self._shares.get(label, 0.0) for label, share in other.items())
        return {
            "agreement": float((own == theirs).mean()),
            "chance": chance,
            "relabelled": _relabelled(own, theirs),
            "agreed_on": len(own),
        }

    def _nearest(self, x: Array, rows: Array | None) -> Array:
        """The reference nearest to each sample, -1 where there is none: ‖x − r‖² = ‖x‖² − 2 x·r + ‖r‖²."""
        with np.errstate(over="ignore", invalid="ignore"):
            distance = self._squares - 2 * (x @ self._x.T)  # (n, references), but for ‖x‖²
        if rows is not None:
            distance[rows[:, None] == self._rows] = np.inf
        distance[~np.isfinite(distance)] = np.inf
        nearest: Array = distance.argmin(1)
        nearest[np.isinf(distance.min(1))] = -1
        return nearest


def _shares(labels: Array) -> dict[int, float]:
    values, counts = np.unique(labels, return_counts=True)
    return dict(zip(values.tolist(), (counts / len(labels)).tolist(), strict=True))


def _relabelled(own: Array, theirs: Array) -> float:
    """The agreement after the best one-to-one renaming, found on one half and measured on the other, both ways.

    So labels that say nothing gain nothing by it.
    """
    classes, both = np.unique(np.concatenate([own, theirs]), return_inverse=True)
    a, b = both[: len(own)], both[len(own) :]
    half, right = np.arange(len(own)) % 2 == 0, 0
    for part in (half, ~half):
        pairs = np.zeros((len(classes), len(classes)))
        np.add.at(pairs, (a[part], b[part]), 1)
        pairs += 0.5 * np.eye(len(classes))  # a class that was not seen keeps its name
        _, renamed = linear_sum_assignment(pairs, maximize=True)
        right += int((renamed[a[~part]] == b[~part]).sum())
    return right / len(own)
