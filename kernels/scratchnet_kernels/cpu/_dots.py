"""The second of two matrix products: C[r, j] += Σₙ Σₖ A[n, r, k] B[n, j, k], as `_products` says.

Vectors run along k, so a tile of C is 4 × 2 vectors of partial sums, each added up once, at the end. n is an outer
run of terms: the images of a batch, whose rows do not follow one another in memory.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from ._products import ROWS
from .simd import lanes, vfma, vload, vload_n, vsum, vzero

BLOCK = 1024  # k in one sweep: four rows of A fit in the L1 cache
COLUMNS = 64  # and this many rows of B in the L2 cache


@njit(cache=True)
def _dots_4x2(A: Any, a: int, a_n: int, a_row: int, B: Any, b0: int, b1: int, b_n: int, N: int, K: int,
              C: Any, c: int, c_row: int) -> None:  # fmt: skip
    """Four rows of A by two rows of B."""
    L = lanes(A)
    s00 = s01 = s10 = s11 = s20 = s21 = s30 = s31 = vzero(A)
    for n in range(N):
        x = a + n * a_n
        y0 = b0 + n * b_n
        y1 = b1 + n * b_n
        for k in range(0, K - L + 1, L):
            w0 = vload(B, y0 + k)
            w1 = vload(B, y1 + k)
            v = vload(A, x + k)
            s00 = vfma(v, w0, s00)
            s01 = vfma(v, w1, s01)
            v = vload(A, x + a_row + k)
            s10 = vfma(v, w0, s10)
            s11 = vfma(v, w1, s11)
            v = vload(A, x + 2 * a_row + k)
            s20 = vfma(v, w0, s20)
            s21 = vfma(v, w1, s21)
            v = vload(A, x + 3 * a_row + k)
            s30 = vfma(v, w0, s30)
            s31 = vfma(v, w1, s31)
        k = K // L * L
        m = K - k
        if m > 0:
            w0 = vload_n(B, y0 + k, m)
            w1 = vload_n(B, y1 + k, m)
            v = vload_n(A, x + k, m)
            s00 = vfma(v, w0, s00)
            s01 = vfma(v, w1, s01)
            v = vload_n(A, x + a_row + k, m)
            s10 = vfma(v, w0, s10)
            s11 = vfma(v, w1, s11)
            v = vload_n(A, x + 2 * a_row + k, m)
            s20 = vfma(v, w0, s20)
            s21 = vfma(v, w1, s21)
            v = vload_n(A, x + 3 * a_row + k, m)
            s30 = vfma(v, w0, s30)
            s31 = vfma(v, w1, s31)
    C[c] += vsum(s00)
    C[c + 1] += vsum(s01)
    C[c + c_row] += vsum(s10)
    C[c + c_row + 1] += vsum(s11)
    C[c + 2 * c_row] += vsum(s20)
    C[c + 2 * c_row + 1] += vsum(s21)
    C[c + 3 * c_row] += vsum(s30)
    C[c + 3 * c_row + 1] += vsum(s31)


@njit(cache=True)
def _dots_1x1(A: Any, a: int, a_n: int, B: Any, b: int, b_n: int, N: int, K: int, C: Any, c: int) -> None:
    """One row of A by one row of B: what the large tile leaves over."""
    L = lanes(A)
    s = vzero(A)
    for n in range(N):
        for k in range(0, K, L):
            m = min(L, K - k)
            s = vfma(vload_n(A, a + n * a_n + k, m), vload_n(B, b + n * b_n + k, m), s)
    C[c] += vsum(s)


@njit(cache=True)
def dots(A: Any, a: int, a_n: int, a_row: int, B: Any, b: int, b_n: int, b_row: Any, N: int, K: int,
         C: Any, c: int, c_row: int, R: int, columns: int) -> None:  # fmt: skip
    """C[c + r·c_row + j] += Σₙ Σₖ A[a + n·a_n + r·a_row + k] B[b + n·b_n + b_row[j] + k].

    For r < R and j < columns, over n < N and k < K.
    """
    r_tiles = R // ROWS * ROWS
    for k in range(0, K, BLOCK):
        depth = min(BLOCK, K - k)
        for j0 in range(0, columns, COLUMNS):
            j1 = min(columns, j0 + COLUMNS)
            j_tiles = j1 - (j1 - j0) % 2
            for r in range(0, r_tiles, ROWS):
                x = a + r * a_row + k
                for j in range(j0, j_tiles, 2):
                    y0 = b + b_row[j] + k
                    y1 = b + b_row[j + 1] + k
                    _dots_4x2(A, x, a_n, a_row, B, y0, y1, b_n, N, depth, C, c + r * c_row + j, c_row)
            for r in range(R):
                x = a + r * a_row + k
                for j in range(j_tiles if r < r_tiles else j0, j1):
                    _dots_1x1(A, x, a_n, B, b + b_row[j] + k, b_n, N, depth, C, c + r * c_row + j)
