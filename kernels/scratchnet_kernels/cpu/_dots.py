"""The second of two matrix products: C[r, j] += Σₙ Σₖ A[n, r, k] B[n, j, k], as `_products` says.

Registers run along k, so a tile of C, 4 × 6 registers with AVX-512, holds partial sums, each added up once, at the
end. n is an outer run of terms: the images of a batch, whose rows do not follow one another in memory.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from ._tiles import ROWS, WIDE, columns_at, rows_at, tile_add_sums, tile_dots, tile_dots_n, tile_zero
from .simd import rlanes

BLOCK = 1024  # k in one sweep, about: four rows of A fit in the L1 cache
COLUMNS = 72  # and this many rows of B in the L2 cache


@njit(cache=True)
def _dots_tile(A: Any, a_n: int, rows: Any, B: Any, b_n: int, columns: Any, N: int, K: int,
               C: Any, c: int, c_row: int, R: int, J: int) -> None:  # fmt: skip
    """The first R × J sums of a tile."""
    L = rlanes(A)
    sums = tile_zero(A, columns)
    for n in range(N):
        i, j = n * a_n, n * b_n
        for k in range(0, K - L + 1, L):
            sums = tile_dots(sums, A, rows, i + k, B, columns, j + k)
        if K % L:
            k = K // L * L
            sums = tile_dots_n(sums, A, rows, i + k, B, columns, j + k, K - k)
    tile_add_sums(C, c, c_row, R, J, sums)


@njit(cache=True)
def dots(A: Any, a: int, a_n: int, a_row: int, B: Any, b: int, b_n: int, b_row: Any, N: int, K: int,
         C: Any, c: int, c_row: int, R: int, columns: int) -> None:  # fmt: skip
    """C[c + r·c_row + j] += Σₙ Σₖ A[a + n·a_n + r·a_row + k] B[b + n·b_n + b_row[j] + k].

    For r < R and j < columns, over n < N and k < K.
    """
    blocks = max(1, (K + BLOCK // 2) // BLOCK)  # of about that depth, and all alike
    for block in range(blocks):
        k0, k1 = block * K // blocks, (block + 1) * K // blocks
        for j0 in range(0, columns, COLUMNS):
            j1 = min(columns, j0 + COLUMNS)
            for r in range(0, R, ROWS):
                rows = rows_at(a + k0, a_row, r, R - 1)
                for j in range(j0, j1, WIDE):
                    _dots_tile(A, a_n, rows, B, b_n, columns_at(b + k0, b_row, j, j1 - 1, WIDE), N, k1 - k0,
                               C, c + r * c_row + j, c_row, R - r, j1 - j)  # fmt: skip
