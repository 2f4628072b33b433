"""A convolution's product row by row of the image, each register written to where its result belongs.

`_products` runs along all positions of an image at a pitch, and its results are copied from there. Where rows nearly
fill registers that copy is saved: a column of this product is one register of one row of the image, and a table says
where it begins in B, where in C, and how much of it counts.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit

from ._tiles import ROWS, columns_at, rows_at, tile_rows, tile_spread, tile_store, tile_zero
from .simd import REGISTER_BYTES

COLUMNS = 4 if REGISTER_BYTES == 64 else 2  # of a tile: 16 sums of 32 registers, or 8 of 16
REST = 2  # and of the last tile, if that suffices
SURPLUS = 1.3  # lanes beside the image that a column may have, as a share of what `_products` computes


@lru_cache(maxsize=256)
def columns(rows: int, width: int, pitch: int, lanes: int) -> np.ndarray[Any, Any]:
    """(3, columns) for an image of that many rows: places in B, at a pitch, and in C, and widths.

    No columns if `_products` wastes less. Kept from call to call; nobody writes into it.
    """
    if pitch == width:
        rows, width, pitch = 1, rows * width, rows * width
    starts = np.arange(0, width, lanes)
    if rows * len(starts) * lanes > SURPLUS * (rows * pitch - pitch + width):
        starts = starts[:0]
    table = np.empty((3, rows, len(starts)), np.int64)
    table[0] = np.arange(rows)[:, None] * pitch + starts  # (rows,), (starts,) -> (rows, starts)
    table[1] = np.arange(rows)[:, None] * width + starts
    table[2] = np.minimum(lanes, width - starts)
    return table.reshape(3, -1)


@njit(cache=True)
def _tile(A: Any, a: Any, a_k: Any, B: Any, b: Any, b_k: Any, C: Any, rows: Any, columns: Any, widths: Any,
          sums: Any) -> None:  # fmt: skip
    for k in range(len(a_k)):
        sums = tile_spread(sums, A, a, a_k[k], B, b, b_k[k])
    tile_store(C, rows, columns, widths, sums)


@njit(cache=True)
def rows_product(A: Any, a: int, a_row: int, a_k: Any, B: Any, b: int, b_k: Any, table: Any,
                 C: Any, c: int, c_row: int, R: int, bias: Any, first: int) -> None:  # fmt: skip
    """C[c + r·c_row + c_i] = bias[first + r] + Σₖ A[a + r·a_row + a_k[k]] B[b + b_k[k] + b_i] for r < R.

    (b_i, c_i) are the `width` neighbours of each column of the table. An absent bias counts as zero. Up to a register
    of B behind a column is read; what comes of it is not written.
    """
    at_b, at_c, width = table[0], table[1], table[2]
    last = len(at_b) - 1
    j = 0
    while j <= last:
        whole = last - j >= REST
        for r in range(0, R, ROWS):
            A_rows, C_rows, bias_rows = (
                rows_at(a, a_row, r, R - 1),
                rows_at(c, c_row, r, R - 1),
                rows_at(first, 1, r, R - 1),
            )
            if whole:
                B_4, C_4 = columns_at(b, at_b, j, last, COLUMNS), columns_at(0, at_c, j, last, COLUMNS)
                w_4 = columns_at(0, width, j, last, COLUMNS)
                s_4 = tile_rows(bias, bias_rows, B_4) if bias.size > 0 else tile_zero(B, B_4)
                _tile(A, A_rows, a_k, B, B_4, b_k, C, C_rows, C_4, w_4, s_4)
            else:
                B_2, C_2 = columns_at(b, at_b, j, last, REST), columns_at(0, at_c, j, last, REST)
                w_2 = columns_at(0, width, j, last, REST)
                s_2 = tile_rows(bias, bias_rows, B_2) if bias.size > 0 else tile_zero(B, B_2)
                _tile(A, A_rows, a_k, B, B_2, b_k, C, C_rows, C_2, w_2, s_2)
        j += COLUMNS if whole else REST
