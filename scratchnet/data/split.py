"""Arrays of samples and labels, checked once so that nothing behind them need check again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import DataError

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Split:
    """Samples x and their labels y, one part of a data set.

    x is uint8 or floating, (N, H, W) for grey pictures, (N, C, H, W) for several channels, (N, D) for plain vectors.
    y is one integer a sample; it is held as int64 (N,).

    Raises DataError: no samples, as many labels as samples not given, other element types, a NaN or an infinity
    (with the index of the first sample that has one), a negative label (likewise).
    """

    name: str
    x: Array
    y: Array

    def __post_init__(self) -> None:
        x, y = self.x, np.asarray(self.y)
        if not isinstance(x, np.ndarray):
            raise self._error("x is not an array", expected="a NumPy array", actual=type(x).__name__)
        if x.dtype != np.uint8 and x.dtype.kind != "f":
            raise self._error("wrong element type of x", expected="uint8 or float", actual=x.dtype)
        if x.ndim not in (2, 3, 4):
            raise self._error("wrong shape of x", expected="(N, D), (N, H, W) or (N, C, H, W)", actual=x.shape)
        if y.dtype.kind not in "iu" or y.ndim != 1:
            raise self._error("labels are no integers", expected="integers (N,)", actual=f"{y.dtype} {y.shape}")
        if len(x) != len(y):
            raise self._error("samples and labels differ in number", expected=f"{len(x)} labels", actual=len(y))
        if x.size == 0:
            raise self._error("no samples", expected="at least 1, of at least one value", actual=f"x {x.shape}")
        if (wrong := _first_not_finite(x)) is not None:
            raise self._error(f"sample {wrong} has a NaN or an infinity", expected="finite values", actual="not finite")
        object.__setattr__(self, "y", np.ascontiguousarray(y, np.int64))
        self.check_labels(None)

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        return f"Split({self.name!r}, x {self.x.dtype} {self.x.shape}, y {self.y.shape})"

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """The shape of one sample as a network sees it: (D,) or (C, H, W)."""
        shape = self.x.shape[1:]
        return (1, *shape) if len(shape) == 2 else shape

    def check_labels(self, classes: int | None) -> None:
        """Raise DataError, with the index of the first offender, unless 0 <= y < classes."""
        wrong = np.flatnonzero((self.y < 0) | (self.y >= classes) if classes is not None else self.y < 0)
        if wrong.size:
            expected = "0 or more" if classes is None else f"0..{classes - 1}"
            raise self._error(f"label {wrong[0]} is out of range", expected=expected, actual=int(self.y[wrong[0]]))

    def _error(self, what: str, *, expected: object, actual: object) -> DataError:
        return DataError(what, where=f"{self.name} split", expected=expected, actual=actual)


def _first_not_finite(x: Array) -> int | None:
    """Index of the first sample with a NaN or an infinity, looked for in pieces so that little memory is taken."""
    if x.dtype.kind != "f":
        return None
    step = max(1, (1 << 20) // max(1, x[0].size))
    for start in range(0, len(x), step):
        fine = np.isfinite(x[start : start + step]).reshape(min(step, len(x) - start), -1).all(1)
        if not fine.all():
            return start + int(np.argmin(fine))
    return None
