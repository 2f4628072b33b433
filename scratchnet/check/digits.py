"""Numbers of 100 digits that can ride through a formula as objects. Needs mpmath."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from mpmath import libmp

DIGITS = 100
BITS = libmp.dps_to_prec(DIGITS + 1)
NEAREST = "n"

Raw = Any  # mpmath's own form of a number: (sign, mantissa, exponent, bits)


class Digits:
    """A real number of 100 decimal digits, with the methods that NumPy asks of objects.

    `np.exp` of an array of objects calls each element's `exp`, so most formulas written for floats run on these.
    """

    __slots__ = ("raw",)

    def __init__(self, value: Any) -> None:
        self.raw: Raw = _raw(value)

    def __float__(self) -> float:
        return float(libmp.to_float(self.raw))

    def __repr__(self) -> str:
        return f"Digits({libmp.to_str(self.raw, DIGITS)})"

    def __hash__(self) -> int:
        return hash(self.raw)

    def __neg__(self) -> Digits:
        return _made(libmp.mpf_neg(self.raw))

    def __abs__(self) -> Digits:
        return _made(libmp.mpf_abs(self.raw))

    def __bool__(self) -> bool:
        return bool(self.raw != libmp.fzero)

    @property
    def real(self) -> Digits:
        """Itself: NumPy's variance asks for it."""
        return self

    def conjugate(self) -> Digits:
        """Itself: NumPy's variance asks for it."""
        return self


def _made(raw: Raw) -> Digits:
    made = Digits.__new__(Digits)
    made.raw = raw
    return made


def _raw(value: Any) -> Raw:
    """What may meet a Digits in a formula: int, float, Fraction, NumPy scalar, Digits. Exact where it is binary."""
    if isinstance(value, Digits):
        return value.raw
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return libmp.from_float(value)
    if isinstance(value, int):
        return libmp.from_int(value)
    if isinstance(value, Fraction):
        return libmp.from_rational(value.numerator, value.denominator, BITS, NEAREST)
    raise TypeError(f"{type(value).__name__} is no number that 100 digits can hold")


def _binary(operation: Callable[..., Raw], swapped: bool = False) -> Callable[[Digits, Any], Any]:
    def method(self: Digits, other: Any) -> Any:
        if isinstance(other, Digits):
            return _made(operation(self.raw, other.raw, BITS, NEAREST))
        if isinstance(other, np.ndarray):
            return NotImplemented  # then NumPy goes through the array's elements
        raw = _raw(other)
        return _made(operation(raw, self.raw, BITS, NEAREST) if swapped else operation(self.raw, raw, BITS, NEAREST))

    return method


def _comparison(compare: Callable[[Raw, Raw], bool]) -> Callable[[Digits, Any], Any]:
    def method(self: Digits, other: Any) -> Any:
        return NotImplemented if isinstance(other, np.ndarray) else bool(compare(self.raw, _raw(other)))

    return method


def _unary(function: Callable[..., Raw], more: int = 0) -> Callable[[Digits], Digits]:
    def method(self: Digits) -> Digits:
        return _made(libmp.mpf_pos(function(self.raw, BITS + more, NEAREST), BITS, NEAREST))

    return method


def _expm1(x: Raw, bits: int, rounding: str) -> Raw:
    return libmp.mpf_sub(libmp.mpf_exp(x, bits, rounding), libmp.fone, bits, rounding)


def _log1p(x: Raw, bits: int, rounding: str) -> Raw:
    return libmp.mpf_log(libmp.mpf_add(x, libmp.fone, bits, rounding), bits, rounding)


WIDER = 200
"""Bits more for formulas that cancel: eˣ - 1 at x = 1e-33 loses 110."""

for _name, _operation in {
    "add": libmp.mpf_add,
    "sub": libmp.mpf_sub,
    "mul": libmp.mpf_mul,
    "truediv": libmp.mpf_div,
    "pow": libmp.mpf_pow,
}.items():
    setattr(Digits, f"__{_name}__", _binary(_operation))
    setattr(Digits, f"__r{_name}__", _binary(_operation, swapped=True))
for _name in ("lt", "le", "gt", "ge", "eq"):
    setattr(Digits, f"__{_name}__", _comparison(getattr(libmp, f"mpf_{_name}")))
for _name, _function in {
    "exp": libmp.mpf_exp,
    "log": libmp.mpf_log,
    "sqrt": libmp.mpf_sqrt,
    "tanh": libmp.mpf_tanh,
    "sinh": libmp.mpf_sinh,
    "cosh": libmp.mpf_cosh,
    "sin": libmp.mpf_sin,
    "cos": libmp.mpf_cos,
    "tan": libmp.mpf_tan,
    "arctan": libmp.mpf_atan,
    "erf": libmp.mpf_erf,
}.items():
    setattr(Digits, _name, _unary(_function))
setattr(Digits, "expm1", _unary(_expm1, WIDER))  # noqa: B010  (as the others, which slots know nothing of)
setattr(Digits, "log1p", _unary(_log1p, WIDER))  # noqa: B010
