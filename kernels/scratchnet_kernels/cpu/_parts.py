"""A bordered image taken apart for kernels whose lanes are neighbouring 2 × 2 windows (`_pooled`, `_routed_first`).

Kernel place (kh, kw) under place (u, v) of window (i, j) sees row 2i + u + kh·dh: row i + ⌊(u + kh·dh) / 2⌋ of the
even or the odd rows, and columns alike. So the elements which one kernel place sees under one of the four places of all
windows are a stretch of one part. Windows follow one another row after row at one `pitch`; what lies between two rows
is computed and dropped.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ..reference.conv2d import Pair
from .simd import register_lanes, reven, rlanes, rload_range, rodd, rzero, vstore_n


class Parts(NamedTuple):
    """The integers that the kernels need. All lengths are in elements."""

    C: int
    H: int
    W: int
    O: int  # noqa: E741
    groups: int
    K: int  # terms of a sum: C / groups · KH · KW
    PH: int
    PW: int
    top: int
    left: int
    rows: int  # of a part
    pitch: int
    plane: int  # the parts of one channel
    size: int  # of the bordered image, and room behind it for the last register


@lru_cache(maxsize=256)
def parts(
    x: tuple[int, ...], W: tuple[int, ...], y: tuple[int, ...], dtype: Any,
    padding: tuple[Pair, Pair], dilation: Pair, groups: int,
) -> tuple[Parts, Any]:  # fmt: skip
    """The sizes; where the stretch of kernel place k and window place (u, v) begins: (K, 2·2), flat.

    Kept from call to call; nobody writes into it.
    """
    (_, C, H, Wd), (O, Cg, KH, KW), (_, _, PH, PW) = x, W, y  # noqa: E741
    h = np.arange(2)[:, None] + np.arange(KH) * dilation[0]  # (2, KH) rows under window (0, 0)
    w = np.arange(2)[:, None] + np.arange(KW) * dilation[1]
    rows, pitch = PH + int(h.max()) // 2, PW + int(w.max()) // 2
    plane = 4 * rows * pitch
    size = -(-(C * plane + register_lanes(dtype)) // 16) * 16
    h, w = h.T[None, :, None, :, None], w.T[None, None, :, None, :]  # (KH, 2), (KW, 2) -> (1, KH, 1, 2, 1), ...
    begin = np.arange(Cg)[:, None, None, None, None] * plane + (h % 2 * 2 + w % 2) * (rows * pitch)
    begin = begin + h // 2 * pitch + w // 2  # (Cg, KH, KW, 2, 2)
    (top, _), (left, _) = padding
    sizes = Parts(C, H, Wd, O, groups, Cg * KH * KW, PH, PW, top, left, rows, pitch, plane, size)
    return sizes, np.ascontiguousarray(begin.reshape(-1), np.int64)


@njit(cache=True)
def split(x: Any, start: int, out: Any, begin: int, g: Any) -> None:
    """One image within zeros, taken apart into even and odd rows and columns.

    out[c, h % 2, w % 2, h // 2, w // 2] = x[c, h − top, w − left], 0 where x has no such element.
    """
    L = rlanes(x)
    zero = rzero(x)
    odd = g.rows * g.pitch  # from an even column's part to an odd one's
    for c in range(g.C):
        for h in range(2 * g.rows):
            row = begin + ((2 * c + h % 2) * 2 * g.rows + h // 2) * g.pitch
            inside = g.top <= h < g.top + g.H
            source = start + (c * g.H + h - g.top) * g.W
            for j in range(0, g.pitch, L):
                u = v = zero
                if inside:
                    w = 2 * j - g.left
                    u, v = rload_range(x, source + w, -w, g.W - w), rload_range(x, source + w + L, -w - L, g.W - w - L)
                n = min(L, g.pitch - j)
                vstore_n(out, row + j, reven(u, v), n)
                vstore_n(out, row + odd + j, rodd(u, v), n)
