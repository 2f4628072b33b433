"""Numbers that can ride through a formula instead of floats: exact fractions, 100 digits, imaginary parts."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

import numpy as np

from scratchnet.core.types import Array

from .subject import NotRun

Numbers = Literal["float64", "complex128", "digits", "fractions"]
"""The kinds of number that a subject can be put on."""


def digits(array: Array) -> Array:
    """An array of Digits with the values of a float array. Raises NotRun without mpmath."""
    try:
        from .digits import Digits  # here, because mpmath is an optional package
    except ImportError as error:
        raise NotRun("mpmath is not installed: pip install mpmath") from error
    return np.asarray(np.frompyfunc(Digits, 1, 1)(array), object)


def fractions(array: Array) -> Array:
    """An array of Fractions with the exact values of a float array."""
    return np.asarray(np.frompyfunc(Fraction, 1, 1)(array), object)


def convert(array: Array, numbers: Numbers) -> Array:
    """A float array as numbers of another kind, with exactly the same values. Raises NotRun without mpmath."""
    if numbers == "digits":
        return digits(array)
    return fractions(array) if numbers == "fractions" else array.astype(numbers)


def rounded(array: Array) -> bool:
    """Whether an array that should hold Digits or Fractions has met a float on its way."""
    return array.dtype != object or any(isinstance(element, float | np.floating) for element in array.flat)


def floats(array: Array) -> Array:
    """An array of objects as float64."""
    return array.astype(np.float64)
