"""Errors of a training run."""

from __future__ import annotations

import math

from scratchnet.core.errors import ScratchnetError


class NonFiniteError(ScratchnetError, ArithmeticError):
    """A loss or an output became NaN or infinite: nothing after it means anything."""


class RecordError(ScratchnetError, OSError):
    """The file for a run's figures cannot be written."""


class HistoryError(ScratchnetError, ValueError):
    """There is nothing to be read of a run: no such file, another kind of file, or nothing in it that tells of one."""


class DataFactsError(ScratchnetError, TypeError):
    """What was given as a split is none that anything could be said of."""


def require_finite(value: float, *, epoch: int, batch: int, lr: float) -> None:
    """Raise NonFiniteError unless `value`, the loss of a batch, is a finite number. Both numbers count from 1."""
    if not math.isfinite(value):
        raise NonFiniteError(
            "the loss is no longer finite",
            where=f"epoch {epoch}, batch {batch}",
            expected="a finite number",
            actual=f"{value} with a learning rate of {lr:g}",
            hint="divide the learning rate by 10, and check that the pixels are scaled (--pixels unit)",
        )
