"""The only elementary functions that reference ops use, so that an op is one formula for every kind of number.

Kinds: float; complex, for complex-step differentiation (a derivative rides in the imaginary part, so nothing here may
drop it: comparisons look at the real part, and abs, var, conj and norms are not offered); object, for exact fractions
and for numbers of many digits. An object that is to go through `exp` and the like has a method of that name.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

Number = Any  # an array, or a scalar of its element type


def is_object(x: Number) -> bool:
    """Whether x is an array of Python numbers."""
    return getattr(x, "dtype", None) is not None and x.dtype.kind == "O"


def _elementwise(name: str, ufunc: Any) -> Any:
    def function(x: Number) -> Number:
        if is_object(x):  # among numbers of many digits the zeros that an op wrote are whole numbers of Python's
            kind = next((type(e) for e in x.flat if not isinstance(e, int)), Fraction)
            return np.frompyfunc(lambda e: getattr(kind(e) if isinstance(e, int) else e, name)(), 1, 1)(x)
        return ufunc(x)

    function.__name__ = name
    function.__doc__ = f"{name}(x), elementwise."
    return function


def _erf(x: Number) -> Number:
    from scipy.special import erf as ufunc  # here, because importing it takes longer than importing NumPy

    return ufunc(x)


exp = _elementwise("exp", np.exp)
log = _elementwise("log", np.log)
sqrt = _elementwise("sqrt", np.sqrt)
tanh = _elementwise("tanh", np.tanh)
erf = _elementwise("erf", _erf)
expm1 = _elementwise("expm1", np.expm1)
log1p = _elementwise("log1p", np.log1p)


def const(value: float | Fraction, like: Any) -> Any:
    """A constant in the element type of `like`: exact in fractions (never `Fraction * 0.5`, which is a float)."""
    if not is_object(like):
        return like.dtype.type(value)
    sample = next(iter(like.flat), 0)
    return Fraction(value) if isinstance(sample, int | Fraction) else type(sample)(value)


def pi(like: Any) -> Any:
    """π in the element type of `like`, to all of its digits. Fractions have none."""
    return const(4, like) * const(1, like).arctan() if is_object(like) else like.dtype.type(math.pi)


def real(x: Number) -> Number:
    """What comparisons look at."""
    return x.real if not is_object(x) else x


def where(condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, y elsewhere."""
    return np.where(condition, x, y)


def positive(x: Any) -> Any:
    """x > 0 by the real part. False for NaN."""
    return np.asarray(real(x) > 0, bool)


def greater(x: Any, y: Any) -> Any:
    """x > y by the real part. False where either is NaN."""
    return np.asarray(real(x) > real(y), bool)


def is_nan(x: Any) -> Any:
    """NaN, in the real or the imaginary part."""
    return np.asarray(x != x, bool)


def maximum(x: Any, y: Any) -> Any:
    """The larger by the real part, x at a tie; NaN where either is NaN."""
    return np.where((np.asarray(real(x) >= real(y), bool)) | is_nan(x), x, y)


def argmax(x: Any, axis: int) -> Any:
    """Where the first largest real part lies along an axis; the first NaN counts as largest, as in NumPy."""
    return np.argmax(real(x), axis)


def amax(x: Any, axis: int, keepdims: bool = False) -> Any:
    """The first largest element along an axis, imaginary part included."""
    at = np.expand_dims(argmax(x, axis), axis)
    largest = np.take_along_axis(x, at, axis)
    return largest if keepdims else np.squeeze(largest, axis)


def mean(x: Any, axis: int | tuple[int, ...], keepdims: bool = False) -> Any:
    """Σ x / n over the given axes; exact in fractions."""
    axes = (axis,) if isinstance(axis, int) else axis
    return divide(x.sum(axis=axes, keepdims=keepdims), math.prod(x.shape[a] for a in axes))


def divide(x: Any, n: Any) -> Any:
    """x / n for a whole number n, or an array of them; exact in fractions (an int over an int would be a float)."""
    return x * np.frompyfunc(lambda count: Fraction(1, count), 1, 1)(n) if is_object(x) else x / n


def sign(x: Any) -> Any:
    """1, -1, or 0 at zero, by the real part: a constant of each branch, so it carries no derivative. NaN stays NaN."""
    return np.where(positive(x), 1, np.where(positive(-x), -1, np.where(is_nan(x), x, 0)))


def total(x: Any, mean: bool) -> Any:
    """Σ x over all axes, divided by the number of elements for the mean: what a loss ends in."""
    s = x.sum(keepdims=True)
    return (divide(s, x.size) if mean else s).reshape(())


def sigmoid(x: Any) -> Any:
    """1 / (1 + e⁻ˣ), from e^-|x|, which cannot overflow."""
    up, one = positive(x), const(1, x)
    e = exp(where(up, -x, x))
    return where(up, one, e) / (one + e)
