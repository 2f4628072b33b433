"""Sums over a row in float64, and what follows from them: the parts that all normalisations are made of.

A row is a contiguous one-dimensional view. The sums may be reordered (a fixed order for every length and machine), so
that they run in vectors.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from ..workspace import Workspace
from ._flat import ABSENT, flat, is_fast

REORDER = {"reassoc", "contract"}


def fast(x: Any, mean: Any, rstd: Any) -> bool:
    """Whether the compiled kernels take these: a common float, its statistics in float64."""
    return is_fast(x) and mean.dtype == rstd.dtype == np.float64 and mean.flags.carray and rstd.flags.carray


def planes(array: Any, like: Any, workspace: Workspace) -> Any:
    """(N, C, ...) -> (N, C, P), contiguous. An absent array becomes (0, 0, 0)."""
    if array is None:
        return ABSENT[like.dtype].reshape(0, 0, 0)
    return flat(array, workspace).reshape(array.shape[0], array.shape[1], math.prod(array.shape[2:]))


def or_absent(array: Any, like: Any) -> Any:
    """The array, or the empty one that stands for None."""
    return ABSENT[like.dtype] if array is None else array


@njit(cache=True, fastmath=REORDER)
def total(x: Any) -> float:
    """Σ x."""
    s = 0.0
    for i in range(x.size):
        s += x[i]
    return s


@njit(cache=True, fastmath=REORDER)
def squares(x: Any, mean: float) -> float:
    """Σ (x - mean)²."""
    s = 0.0
    for i in range(x.size):
        d = x[i] - mean
        s += d * d
    return s


@njit(cache=True, fastmath=REORDER)
def product_with(x: Any, mean: float, dy: Any) -> float:
    """Σ dy·(x - mean)."""
    s = 0.0
    for i in range(x.size):
        s += dy[i] * (x[i] - mean)
    return s


@njit(cache=True, fastmath={"contract"})
def scaled(x: Any, mean: float, scale: float, shift: float, y: Any) -> None:
    """y = (x - mean)·scale + shift."""
    for i in range(x.size):
        y[i] = (x[i] - mean) * scale + shift


@njit(cache=True, fastmath={"contract"})
def projected(x: Any, mean: float, dy: Any, scale: float, shift: float, slope: float, dx: Any) -> None:
    """dx = scale·dy - shift - slope·(x - mean)."""
    for i in range(x.size):
        dx[i] = scale * dy[i] - shift - slope * (x[i] - mean)
