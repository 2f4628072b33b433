"""What attention is made of beside its products: heads where they lie, a transpose, and a softmax forward and back.

The softmax goes over all rows of a (T, S) matrix at once: its exponentials are one long loop, which LLVM turns into
vectors; what belongs to a row is written in vectors by hand, for a row may be short.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.lib.stride_tricks import as_strided

from ..workspace import Workspace
from ._elementary import CONTRACT, exp
from ._flat import flat
from ._peak import peak
from .simd import lanes, vadd, vfma, vload, vload_n, vmul, vsplat, vstore, vstore_n, vsum, vzero


def in_rows(array: Any) -> bool:
    """Whether each row of (N, H, T, D) lies in one piece, and the rows in a grid: heads of a projection do."""
    size = array.itemsize
    return array.size > 0 and array.strides[-1] == size and all(s >= 0 and s % size == 0 for s in array.strides)


def heads(array: Any, workspace: Workspace) -> tuple[Any, tuple[int, ...]]:
    """The elements flat, and how far apart samples, heads and rows begin: a view if `in_rows`, else a copy."""
    if not in_rows(array):
        steps = [int(np.prod(array.shape[axis:])) for axis in (1, 2, 3)]
        return flat(array, workspace), tuple(steps)
    strides = [s // array.itemsize for s in array.strides[:3]]
    span = sum(s * (n - 1) for s, n in zip(strides, array.shape[:3], strict=True)) + array.shape[3]
    return as_strided(array, (span,), (array.itemsize,)), tuple(strides)


def put_heads_back(flattened: Any, array: Any) -> None:
    """Write what a kernel left in `flattened` into the array that `heads` took it from, if it is a copy."""
    if not in_rows(array):
        array[...] = flattened.reshape(array.shape)


@njit(cache=True)
def transpose(x: Any, start: Any, row: Any, R: Any, C: Any, out: Any, o: Any) -> None:
    """(R, C) -> (C, R), the rows of x being `row` apart. Unsigned, for then no index can count from the end."""
    start, row, R, C, o = np.uint64(start), np.uint64(row), np.uint64(R), np.uint64(C), np.uint64(o)
    for c in range(C):
        for r in range(R):
            out[o + c * R + r] = x[start + r * row + c]


@njit(cache=True)
def clear(x: Any, start: int, row: int, R: int, C: int) -> None:
    """0 into R rows of C elements."""
    L = lanes(x)
    for r in range(R):
        for c in range(0, C, L):
            vstore_n(x, start + r * row + c, vzero(x), C - c)


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def softmax_rows(P: Any, p: int, T: int, S: int, keys: Any, causal: bool, scale: Any) -> None:
    """In place, each row t: softmax(scale·scores) over the keys that are kept (the first t + 1 if causal), else 0."""
    L, zero, one, low = lanes(P), P.dtype.type(0), P.dtype.type(1), P.dtype.type(-np.inf)
    whole, rest = S // L * L, S % L
    for row in range(p, p + T * S, S):
        seen = min(S, (row - p) // S + 1) if causal else S
        for s in range(row + seen, row + S):
            P[s] = low
        if keys.size > 0:
            seen = _hide(P, row, seen, keys)
        # the largest after scaling is the largest scaled: rounding keeps the order
        top = vsplat(P, -scale * peak(P, row, S) if seen > 0 else zero)
        by = vsplat(P, scale)
        end = row + whole
        for s in range(row, end, L):
            vstore(P, s, vfma(vload(P, s), by, top))
        if rest > 0:
            vstore_n(P, end, vfma(vload_n(P, end, rest), by, top), rest)
    scores = P[p : p + T * S]
    for i in range(scores.size):
        scores[i] = exp(scores[i])  # 0 at -inf
    for row in range(p, p + T * S, S):
        sums = vzero(P)
        end = row + whole
        for s in range(row, end, L):
            sums = vadd(vload(P, s), sums)
        if rest > 0:
            sums = vadd(vload_n(P, end, rest), sums)
        total = vsum(sums)
        by = vsplat(P, one / total if total != 0 else zero)  # 0 where no key is seen: else the largest has made a 1
        for s in range(row, end, L):
            vstore(P, s, vmul(vload(P, s), by))
        if rest > 0:
            vstore_n(P, end, vmul(vload_n(P, end, rest), by), rest)


@njit(cache=True)
def _hide(P: Any, row: int, count: int, keys: Any) -> int:
    """-inf into a row where keys is False. How many of the first `count` are left."""
    low, seen = P.dtype.type(-np.inf), 0
    for s in range(count):
        if keys[s]:
            seen += 1
        else:
            P[row + s] = low
    return seen


@njit(cache=True)
def softmax_rows_backward(P: Any, p: int, dP: Any, d: int, T: int, S: int, scale: Any) -> None:
    """In place, each row of dP: scale·P·(dP - Σ dP·P)."""
    L = lanes(P)
    whole, rest = S // L * L, S % L
    by = vsplat(P, scale)
    for t in range(T):
        row, out = p + t * S, d + t * S
        sums = vzero(P)
        for s in range(0, whole, L):
            sums = vfma(vload(P, row + s), vload(dP, out + s), sums)
        if rest > 0:
            sums = vfma(vload_n(P, row + whole, rest), vload_n(dP, out + whole, rest), sums)
        less = vsplat(P, -vsum(sums))
        for s in range(0, whole, L):
            vstore(dP, out + s, vmul(vmul(vload(P, row + s), by), vadd(vload(dP, out + s), less)))
        if rest > 0:
            slope = vmul(vload_n(P, row + whole, rest), by)
            vstore_n(dP, out + whole, vmul(slope, vadd(vload_n(dP, out + whole, rest), less)), rest)
