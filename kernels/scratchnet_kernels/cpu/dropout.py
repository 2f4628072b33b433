"""Dropout: random numbers and product in one pass, four elements a block of Philox."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from ..backend import kernel
from ..reference import dropout as reference
from ..workspace import Workspace
from ._flat import flat, is_fast, put_back
from ._philox import fill
from ._threads import share, threads_of_pass

RUN = 1024  # elements whose numbers are drawn before they are used, so that both are loops of vectors


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
    words = (number & 0xFFFFFFFF, number >> 32, *key)
    limit = reference.limit(rate)
    target, parts = flat(y, workspace), threads_of_pass(x.size)
    arguments: Any = (
        *(flat(x, workspace), target, workspace.take((parts * RUN // 2,), np.uint64)),
        *(x.dtype.type(rate < 1), x.dtype.type(1 - rate if rate < 1 else 1)),
        *(np.uint32(min(limit, 0xFFFFFFFF)), *map(np.uint64, words)),  # at rate 1 `kept` is 0, whatever is drawn
    )
    if parts == 1:
        _masked(0, 1, *arguments)
    else:
        _masked_parallel(parts, *arguments)
    put_back(target, y)


@njit(cache=True, error_model="numpy")
def _masked(part: Any, parts: int, x: Any, y: Any, drawn: Any, kept: Any, scale: Any, limit: Any,
            number0: Any, number1: Any, key0: Any, key1: Any) -> None:  # fmt: skip
    """One thread's elements: y = x·(kept if u >= limit else 0) / scale."""
    zero = x.dtype.type(0)
    mine = drawn[part * RUN // 2 : (part + 1) * RUN // 2]
    u = mine.view(np.uint32)
    first, last = share(part, parts, x.size, RUN)
    for start in range(first, last, RUN):
        stop = min(start + RUN, last)
        fill(mine, start // 4, -(-(stop - start) // 4), number0, number1, key0, key1)
        given, out = x[start:stop], y[start:stop]
        for i in range(out.size):
            out[i] = given[i] * (kept if u[i] >= limit else zero) / scale


@njit(cache=True, parallel=True)
def _masked_parallel(parts: int, *arguments: Any) -> None:
    for part in prange(parts):
        _masked(np.int64(part), parts, *arguments)
