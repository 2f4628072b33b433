"""Gather and scale in one pass. The reference says what; here each pixel is read once and written once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from ..backend import kernel
from ..reference import gather as reference
from ._fetch import fetch
from ._flat import is_fast
from ._threads import share, threads_of_pass
from .simd import VECTOR_BYTES

FETCHED = max(64, VECTOR_BYTES)  # bytes at once
AHEAD = 4  # samples: shuffled, they lie where no hardware foresees it


@njit(cache=True, nogil=True, error_model="numpy")
def _integers(n0: int, n1: int, images: Any, index: Any, scale: Any, shift: Any, y: Any, row: int) -> None:
    """The samples index[n0:n1] into y, from y[row] on."""
    size = images.shape[1] * images.shape[2]
    for n in range(n0, n1):
        ahead = index[min(n + AHEAD, index.size - 1)] * size
        for i in range(ahead, ahead + size, FETCHED // images.itemsize):
            fetch(images, i)
        for c in range(scale.size):
            s, t, pixels, out = scale[c], shift[c], images[index[n], c], y[row + n - n0, c]
            for p in range(out.size):
                out[p] = y.dtype.type(pixels[p]) * s + t


@njit(cache=True, nogil=True, error_model="numpy", parallel=True)
def _integers_parallel(T: int, images: Any, index: Any, scale: Any, shift: Any, y: Any) -> None:
    for t in prange(T):
        n0, n1 = share(np.int64(t), T, index.size, 1)
        _integers(n0, n1, images, index, scale, shift, y, n0)


@njit(cache=True, nogil=True, error_model="numpy")
def _floats(images: Any, index: Any, scale: Any, shift: Any, y: Any) -> None:
    for n in range(index.size):
        for c in range(scale.size):
            s, t, row, out = scale[c], shift[c], images[index[n], c], y[n, c]
            for p in range(out.size):
                out[p] = row[p] * s + t


@kernel("cpu")
def gather_scale(images: Any, index: Any, scale: Any, shift: Any, y: Any) -> None:
    """Rows are shared among threads; each is computed alone, so their number changes nothing."""
    known = is_fast(images) or (images.dtype.kind in "biu" and images.dtype.isnative)
    if not (known and is_fast(y)):
        return reference.gather_scale(images, index, scale, shift, y)
    if is_fast(images):
        return _floats(images, index, scale, shift, y)
    T = threads_of_pass(y.size)
    if T == 1:
        _integers(0, index.size, images, index, scale, shift, y, 0)
    else:
        _integers_parallel(T, images, index, scale, shift, y)
    return None
