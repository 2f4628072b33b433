"""The first of two matrix products under dense layers and convolutions: C[r, i] += Σₖ A[r, k] B[k, i].

A tile of C, 4 × 2 vectors, stays in registers while k runs. The two products:

    product:  C[r, i] += Σₖ A[r, k] B[k, i]             vectors run along i: B's rows are read, A's elements spread
    dots:     C[r, j] += Σₙ Σₖ A[n, r, k] B[n, j, k]    vectors run along k and are summed once, at the end

Both read rows that may start anywhere: a table holds where each row begins. For a matrix that is k·stride; for a
convolution it is the place where a kernel element looks. Sizes are run-time values and only the tile is constant, so
one compilation serves every shape. All arrays are flat and C-contiguous, all offsets count elements.

Neither multiplies by an element that is not there: what a tail would read is masked on both sides, so that 0·∞ makes
no NaN. Each result is summed apart and then added to C: a large C costs the sum no digits.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit

from .simd import lanes, vadd, vbroadcast, vfma, vload, vload_n, vstore, vstore_n, vzero

ROWS = 4  # rows of C in a tile
BLOCK = 128  # k in one sweep, about: 128 rows of B, two vectors wide, fit in the L1 cache


@lru_cache(maxsize=256)
def row_starts(count: int, stride: int) -> np.ndarray[Any, Any]:
    """Where the rows of a matrix begin: k·stride. Kept from call to call; nobody writes into it."""
    return np.arange(count, dtype=np.int64) * stride


@njit(cache=True)
def _product_4x2(A: Any, a: int, a_row: int, a_k: Any, B: Any, b: int, b_k: Any, k0: int, k1: int,
                 C: Any, c: int, c_row: int) -> None:  # fmt: skip
    """Four rows by two vectors of C, over the terms k0 ≤ k < k1."""
    L = lanes(B)
    s00 = s01 = s10 = s11 = s20 = s21 = s30 = s31 = vzero(B)
    for k in range(k0, k1):
        row = b + b_k[k]
        b0 = vload(B, row)
        b1 = vload(B, row + L)
        column = a + a_k[k]
        x = vbroadcast(A, column)
        s00 = vfma(x, b0, s00)
        s01 = vfma(x, b1, s01)
        x = vbroadcast(A, column + a_row)
        s10 = vfma(x, b0, s10)
        s11 = vfma(x, b1, s11)
        x = vbroadcast(A, column + 2 * a_row)
        s20 = vfma(x, b0, s20)
        s21 = vfma(x, b1, s21)
        x = vbroadcast(A, column + 3 * a_row)
        s30 = vfma(x, b0, s30)
        s31 = vfma(x, b1, s31)
    s00 = vadd(vload(C, c), s00)
    s01 = vadd(vload(C, c + L), s01)
    s10 = vadd(vload(C, c + c_row), s10)
    s11 = vadd(vload(C, c + c_row + L), s11)
    s20 = vadd(vload(C, c + 2 * c_row), s20)
    s21 = vadd(vload(C, c + 2 * c_row + L), s21)
    s30 = vadd(vload(C, c + 3 * c_row), s30)
    s31 = vadd(vload(C, c + 3 * c_row + L), s31)
    vstore(C, c, s00)
    vstore(C, c + L, s01)
    vstore(C, c + c_row, s10)
    vstore(C, c + c_row + L, s11)
    vstore(C, c + 2 * c_row, s20)
    vstore(C, c + 2 * c_row + L, s21)
    vstore(C, c + 3 * c_row, s30)
    vstore(C, c + 3 * c_row + L, s31)


@njit(cache=True)
def _product_4x1(A: Any, a: int, a_row: int, a_k: Any, B: Any, b: int, b_k: Any, k0: int, k1: int,
                 C: Any, c: int, c_row: int, n: int) -> None:  # fmt: skip
    """Four rows by the first n lanes of one vector: the columns that the large tile leaves over."""
    s0 = s1 = s2 = s3 = vzero(B)
    for k in range(k0, k1):
        b0 = vload_n(B, b + b_k[k], n)
        column = a + a_k[k]
        s0 = vfma(vbroadcast(A, column), b0, s0)
        s1 = vfma(vbroadcast(A, column + a_row), b0, s1)
        s2 = vfma(vbroadcast(A, column + 2 * a_row), b0, s2)
        s3 = vfma(vbroadcast(A, column + 3 * a_row), b0, s3)
    s0 = vadd(vload_n(C, c, n), s0)
    s1 = vadd(vload_n(C, c + c_row, n), s1)
    s2 = vadd(vload_n(C, c + 2 * c_row, n), s2)
    s3 = vadd(vload_n(C, c + 3 * c_row, n), s3)
    vstore_n(C, c, s0, n)
    vstore_n(C, c + c_row, s1, n)
    vstore_n(C, c + 2 * c_row, s2, n)
    vstore_n(C, c + 3 * c_row, s3, n)


@njit(cache=True)
def _product_1x1(A: Any, a: int, a_k: Any, B: Any, b: int, b_k: Any, k0: int, k1: int,
                 C: Any, c: int, n: int) -> None:  # fmt: skip
    """One row by the first n lanes of one vector: the rows that the large tile leaves over.

    Odd and even k are summed apart, for one sum alone would wait for itself.
    """
    s0 = s1 = vzero(B)
    for k in range(k0, k1 - 1, 2):
        s0 = vfma(vbroadcast(A, a + a_k[k]), vload_n(B, b + b_k[k], n), s0)
        s1 = vfma(vbroadcast(A, a + a_k[k + 1]), vload_n(B, b + b_k[k + 1], n), s1)
    if (k1 - k0) % 2:
        s0 = vfma(vbroadcast(A, a + a_k[k1 - 1]), vload_n(B, b + b_k[k1 - 1], n), s0)
    vstore_n(C, c, vadd(vload_n(C, c, n), vadd(s0, s1)), n)


@njit(cache=True)
def product(A: Any, a: int, a_row: int, a_k: Any, B: Any, b: int, b_k: Any, K: int,
            C: Any, c: int, c_row: int, R: int, columns: int) -> None:  # fmt: skip
    """C[c + r·c_row + i] += Σₖ A[a + r·a_row + a_k[k]] B[b + b_k[k] + i] for r < R, i < columns, k < K."""
    L = lanes(B)
    r_tiles = R // ROWS * ROWS
    i_tiles = columns // (2 * L) * (2 * L)
    blocks = max(1, (K + BLOCK // 2) // BLOCK)  # of about that depth, and all alike
    for block in range(blocks):
        k0, k1 = block * K // blocks, (block + 1) * K // blocks
        for i in range(0, i_tiles, 2 * L):
            for r in range(0, r_tiles, ROWS):
                _product_4x2(A, a + r * a_row, a_row, a_k, B, b + i, b_k, k0, k1, C, c + r * c_row + i, c_row)
        for i in range(i_tiles, columns, L):
            n = min(L, columns - i)
            for r in range(0, r_tiles, ROWS):
                _product_4x1(A, a + r * a_row, a_row, a_k, B, b + i, b_k, k0, k1, C, c + r * c_row + i, c_row, n)
        for r in range(r_tiles, R):
            for i in range(0, columns, L):
                n = min(L, columns - i)
                _product_1x1(A, a + r * a_row, a_k, B, b + i, b_k, k0, k1, C, c + r * c_row + i, n)
