"""Numbers of many digits that can ride through the reference ops as objects."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from scratchnet.core.types import Array

DIGITS = 60


class Digits:
    """A real number of 60 decimal digits (mpmath's), with the methods that reference/_math.py asks of objects."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = _plain(value)

    def __float__(self) -> float:
        return float(self.value)

    def __repr__(self) -> str:
        return f"Digits({self.value})"

    def __hash__(self) -> int:
        return hash(self.value)

    def __neg__(self) -> Digits:
        return Digits(-self.value)

    def __bool__(self) -> bool:
        return bool(self.value)


def _plain(value: Any) -> Any:
    """An mpmath number of what may meet a Digits in an op: int, float, Fraction, NumPy scalar, Digits."""
    context = _context()
    if isinstance(value, Digits):
        return value.value
    if isinstance(value, Fraction):
        return context.mpf(value.numerator) / value.denominator
    return context.mpf(value.item() if isinstance(value, np.generic) else value)


_CONTEXT: list[Any] = []


def _context() -> Any:
    if not _CONTEXT:
        from mpmath import MPContext  # an optional package: only the checks need it

        context = MPContext()
        context.dps = DIGITS
        _CONTEXT.append(context)
    return _CONTEXT[0]


def _binary(name: str) -> Callable[[Digits, Any], Any]:
    def method(self: Digits, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented  # then NumPy goes through the array's elements
        result = getattr(self.value, name)(_plain(other))
        return result if isinstance(result, bool) else Digits(result)

    return method


def _unary(name: str) -> Callable[[Digits], Digits]:
    def method(self: Digits) -> Digits:
        return Digits(getattr(_context(), name)(self.value))

    return method


for _name in "add radd sub rsub mul rmul truediv rtruediv pow rpow lt le gt ge eq ne".split():  # noqa: SIM905
    setattr(Digits, f"__{_name}__", _binary(f"__{_name}__"))
for _name in ("exp", "log", "sqrt", "tanh", "erf", "expm1", "log1p"):
    setattr(Digits, _name, _unary(_name))


def digits(array: Array) -> Array:
    """An array of Digits with the values of a float array."""
    _context()  # importing mpmath raises floating-point flags, which NumPy would take for the array's
    return np.asarray(np.frompyfunc(Digits, 1, 1)(array), object)


def fractions(array: Array) -> Array:
    """An array of Fractions with the exact values of a float array."""
    return np.asarray(np.frompyfunc(Fraction, 1, 1)(array), object)


def floats(array: Array) -> Array:
    """An array of objects as float64."""
    return array.astype(np.float64)
