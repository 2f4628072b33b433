"""Dropout: random numbers and product in one pass, four elements a block of Philox."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ..backend import kernel
from ..reference import dropout as reference
from ..reference._philox import HALF, LOW
from ..workspace import Workspace
from ._flat import flat, is_fast, put_back
from ._philox import philox


@kernel("cpu")
def dropout(x: Any, count: Any, y: Any, seen: Any, key: tuple[int, int], rate: float, *, workspace: Workspace) -> None:
    """y = x·keep / (1 - rate); seen = count."""
    if not is_fast(x):
        return reference.dropout(x, count, y, seen, key, rate)
    seen[:] = count
    _run(x, count, y, key, rate, workspace)


@kernel("cpu")
def dropout_backward(seen: Any, dy: Any, dx: Any, key: tuple[int, int], rate: float, *, workspace: Workspace) -> None:
    """dx = dy·keep / (1 - rate)."""
    if not is_fast(dy):
        return reference.dropout_backward(seen, dy, dx, key, rate)
    _run(dy, seen, dx, key, rate, workspace)


def _run(x: Any, count: Any, y: Any, key: tuple[int, int], rate: float, workspace: Workspace) -> None:
    number = int(count[0]) % 2**64
    words = (number & 0xFFFFFFFF, number >> 32, *key, reference.limit(rate))
    target = flat(y, workspace)
    scale = x.dtype.type(1 - rate if rate < 1 else 1)
    _masked(flat(x, workspace), target, scale, *map(np.uint64, words))
    put_back(target, y)


@njit(cache=True, error_model="numpy")
def _masked(x: Any, y: Any, scale: Any, number0: Any, number1: Any, key0: Any, key1: Any, limit: Any) -> None:
    one, zero = x.dtype.type(1), x.dtype.type(0)
    whole = x.size // 4
    for block in range(whole):
        i, b = 4 * block, np.uint64(block)
        w0, w1, w2, w3 = philox(b & LOW, b >> HALF, number0, number1, key0, key1)
        y[i] = x[i] * (one if w0 >= limit else zero) / scale
        y[i + 1] = x[i + 1] * (one if w1 >= limit else zero) / scale
        y[i + 2] = x[i + 2] * (one if w2 >= limit else zero) / scale
        y[i + 3] = x[i + 3] * (one if w3 >= limit else zero) / scale
    b = np.uint64(whole)
    tail = philox(b & LOW, b >> HALF, number0, number1, key0, key1)
    for i in range(4 * whole, x.size):
        y[i] = x[i] * (one if tail[i - 4 * whole] >= limit else zero) / scale
