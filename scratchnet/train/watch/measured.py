"""Counts as a record."""

from __future__ import annotations

from ..history.records import Measured
from ..metrics import Counts

LARGEST = 128  # classes above which a confusion matrix is not written down
Countable = Counts | Measured | None


def measured(counts: Counts | Measured) -> Measured:
    """What was counted; of nothing, the total 0 and no rates."""
    if isinstance(counts, Measured):
        return counts
    small = len(counts.matrix) <= LARGEST
    return Measured(
        loss=counts.loss if counts.loss_total else None,
        accuracy=counts.accuracy if counts.total else None,
        correct=counts.correct,
        top5=counts.top5,
        total=counts.total,
        matrix=tuple(tuple(row) for row in counts.matrix.tolist()) if small else None,
    )
