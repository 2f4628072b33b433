"""What a check raises."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.core.errors import ScratchnetError
from scratchnet.core.types import Array

from .tolerances import FLOOR


class CheckError(ScratchnetError, AssertionError):
    """A layer or loss broke the contract, or its gradient is wrong. The message says which, where and by how much."""


def compare(what: str, name: str, actual: Array, expected: Array, tolerance: float, floor: float = FLOOR) -> None:
    """Raise CheckError unless the arrays agree, NaN and inf in one place.

    `tolerance` is relative to the largest element, or to `floor` where all elements are smaller than that.
    """
    if actual.shape != expected.shape:
        raise CheckError(f"{what}: {name} has the wrong shape", expected=expected.shape, actual=actual.shape)
    if actual.size == 0:
        return
    finite = np.isfinite(expected)
    scale = float(np.max(np.abs(expected[finite]), initial=0.0))
    with np.errstate(invalid="ignore"):
        same = np.where(finite, np.abs(actual - expected) <= tolerance * max(scale, floor), False)
        same |= (actual == expected) | ((actual != actual) & (expected != expected))
    if not same.all():
        worst = _worst(actual, expected, same)
        raise CheckError(
            f"{what}: {name} is wrong in {int((~same).sum())} of {same.size} elements",
            where=f"{name}{list(worst)}",
            expected=expected[worst],
            actual=actual[worst],
        )


def identical(what: str, name: str, actual: Array, expected: Array) -> None:
    """Raise CheckError unless the arrays are the same, NaN included."""
    if actual.shape != expected.shape or not np.array_equal(actual, expected, equal_nan=actual.dtype.kind in "fc"):
        raise CheckError(f"{what}: {name} changed", where=name, expected=expected, actual=actual)


def _worst(actual: Array, expected: Array, same: Any) -> tuple[int, ...]:
    error = np.where(same, -1.0, np.nan_to_num(np.abs(actual - expected), nan=np.inf))
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(error)), error.shape))
