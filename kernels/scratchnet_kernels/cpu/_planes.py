"""Sums over stretches of an image's plane, in vectors of the element type, and what follows from them.

A stretch is short (`STRETCH` elements) and its sums are about a value near its own, so that they err by a few units in
the last place wherever the mean lies; between stretches everything is float64. A vector of zeros and a number takes
the place of the mask that a tail would need: constants lie in memory `lanes` times over, in rows of `spread`.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from ..workspace import Workspace
from ._fetch import fetch
from .simd import VECTOR_BYTES, lanes, vadd, vbroadcast, vfma, vload, vload_n, vstore, vstore_n, vsum, vzero

STRETCH = 2048  # elements
ROWS = 4  # of `spread`


def rows(T: int, like: Any, workspace: Workspace) -> Any:
    """`spread` for each of T threads."""
    return workspace.take((T, ROWS * VECTOR_BYTES // like.itemsize), like.dtype)


@njit(cache=True)
def put(spread: Any, row: int, value: float) -> None:
    """All lanes of a row of `spread` = value."""
    L = lanes(spread)
    spread[row * L] = value
    vstore(spread, row * L, vbroadcast(spread, row * L))


@njit(cache=True)
def shifted_sum(x: Any, a: int, n: int, spread: Any, ahead: int) -> Any:
    """Σ (x[a : a + n] + spread[0]). What follows `ahead` elements later is fetched."""
    L = lanes(x)
    shift = vload(spread, 0)
    s0 = s1 = vzero(x)
    for i in range(0, n - 2 * L + 1, 2 * L):
        fetch(x, a + i + ahead)
        fetch(x, a + i + ahead + L)
        s0 = vadd(vadd(vload(x, a + i), shift), s0)
        s1 = vadd(vadd(vload(x, a + i + L), shift), s1)
    for i in range(n // (2 * L) * (2 * L), n, L):
        m = min(L, n - i)
        s0 = vadd(vadd(vload_n(x, a + i, m), vload_n(spread, 0, m)), s0)
    return vsum(vadd(s0, s1))


@njit(cache=True)
def shifted_squares(x: Any, a: int, n: int, spread: Any) -> Any:
    """Σ (x[a : a + n] + spread[0])²."""
    L = lanes(x)
    shift = vload(spread, 0)
    s0 = s1 = vzero(x)
    for i in range(0, n - 2 * L + 1, 2 * L):
        d0, d1 = vadd(vload(x, a + i), shift), vadd(vload(x, a + i + L), shift)
        s0 = vfma(d0, d0, s0)
        s1 = vfma(d1, d1, s1)
    for i in range(n // (2 * L) * (2 * L), n, L):
        m = min(L, n - i)
        d0 = vadd(vload_n(x, a + i, m), vload_n(spread, 0, m))
        s0 = vfma(d0, d0, s0)
    return vsum(vadd(s0, s1))


@njit(cache=True)
def sum_and_product(x: Any, dy: Any, a: int, n: int, spread: Any, ahead: int) -> Any:
    """(Σ dy[a : a + n], Σ dy[a : a + n]·(x[a : a + n] + spread[0])). As `shifted_sum` fetches."""
    L = lanes(x)
    shift = vload(spread, 0)
    s0 = s1 = p0 = p1 = vzero(x)
    for i in range(0, n - 2 * L + 1, 2 * L):
        for place in (a + i + ahead, a + i + ahead + L):
            fetch(x, place)
            fetch(dy, place)
        g0, g1 = vload(dy, a + i), vload(dy, a + i + L)
        s0 = vadd(g0, s0)
        s1 = vadd(g1, s1)
        p0 = vfma(g0, vadd(vload(x, a + i), shift), p0)
        p1 = vfma(g1, vadd(vload(x, a + i + L), shift), p1)
    for i in range(n // (2 * L) * (2 * L), n, L):
        m = min(L, n - i)
        g0 = vload_n(dy, a + i, m)
        s0 = vadd(g0, s0)
        p0 = vfma(g0, vadd(vload_n(x, a + i, m), vload_n(spread, 0, m)), p0)
    return vsum(vadd(s0, s1)), vsum(vadd(p0, p1))


@njit(cache=True)
def scaled_plane(x: Any, a: int, n: int, spread: Any, y: Any, ahead: int) -> None:
    """y = (x + spread[0])·spread[1] + spread[2], each from place a on."""
    L = lanes(x)
    shift, scale, offset = vload(spread, 0), vload(spread, L), vload(spread, 2 * L)
    for i in range(0, n, L):
        m = min(L, n - i)
        fetch(y, a + i + ahead)
        vstore_n(y, a + i, vfma(vadd(vload_n(x, a + i, m), shift), scale, offset), m)


@njit(cache=True)
def projected_plane(x: Any, dy: Any, a: int, n: int, spread: Any, dx: Any, ahead: int) -> None:
    """dx = spread[2] + spread[1]·(x + spread[0]) + spread[3]·dy, each from place a on."""
    L = lanes(x)
    shift, slope, offset, scale = vload(spread, 0), vload(spread, L), vload(spread, 2 * L), vload(spread, 3 * L)
    for i in range(0, n, L):
        m = min(L, n - i)
        fetch(dx, a + i + ahead)
        d = vfma(vadd(vload_n(x, a + i, m), shift), slope, offset)
        vstore_n(dx, a + i, vfma(vload_n(dy, a + i, m), scale, d), m)
