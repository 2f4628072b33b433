"""Gather, scale and move in one pass. The reference says what; here each pixel is read once and written once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from ..backend import kernel
from ..reference import gather as reference
from ..workspace import Workspace
from ._fetch import fetch
from ._flat import ABSENT, flat, is_fast, put_back
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


@kernel("cpu")
def gather_augment(images: Any, index: Any, move: Any, scale: Any, shift: Any, y: Any, *, workspace: Workspace) -> None:
    """As gather_scale, with every picture moved and mirrored by its own move."""
    known = is_fast(images) or (images.dtype.kind in "biu" and images.dtype.isnative)
    if not (known and is_fast(y) and images.flags.c_contiguous) or images.size == 0:
        return reference.gather_augment(images, index, move, scale, shift, y)
    (_, C, H, W), target, T = images.shape, flat(y, workspace), threads_of_pass(y.size)
    kind = ABSENT[images.dtype if is_fast(images) else y.dtype]  # its element type is the one pixels are converted to
    given = images.reshape(-1, C, H * W), H, W, index, move, scale, shift, kind, target.reshape(-1, C, H * W)
    if T == 1:
        _moved(0, index.size, *given)
    else:
        _moved_parallel(T, *given)
    put_back(target, y)
    return None


@njit(cache=True, nogil=True, error_model="numpy")
def _moved(
    n0: int, n1: int, images: Any, H: int, W: int, index: Any, move: Any, scale: Any, shift: Any, kind: Any, y: Any
) -> None:
    """The samples index[n0:n1] into y[n0:n1]; planes are flat.

    A picture that is not mirrored moves as one run of pixels; what that carries over a side's edge is overwritten.
    """
    size = images.shape[1] * images.shape[2]
    for n in range(n0, n1):
        ahead = index[min(n + AHEAD, index.size - 1)] * size
        for i in range(ahead, ahead + size, FETCHED // images.itemsize):
            fetch(images, i)
        down, right, mirror = move[n, 0], move[n, 1], move[n, 2] != 0
        top, bottom = _covered(down, H)
        left, stop = _covered(right, W)
        if left == stop:
            top = bottom = H
        for c in range(scale.size):
            s, t, pixels, out = scale[c], shift[c], images[index[n], c], y[n, c]
            empty = kind.dtype.type(0) * s + t
            out[: top * W] = empty
            out[bottom * W :] = empty
            if mirror:
                for h in range(top, bottom):
                    last = (h - down) * W + W - 1 + right
                    for w in range(left, stop):  # unsigned: an index that counts from the end would slow the loop
                        out[h * W + w] = kind.dtype.type(pixels[np.uint64(last - w)]) * s + t
            elif top < bottom:
                first, size_of_run = top * W + left, (bottom - top) * W - (W - stop) - left
                run, source = out[first : first + size_of_run], pixels[first - down * W - right :]
                for p in range(size_of_run):
                    run[p] = kind.dtype.type(source[p]) * s + t
            if left or stop < W:
                for h in range(top, bottom):
                    out[h * W : h * W + left] = empty
                    out[h * W + stop : (h + 1) * W] = empty


@njit(cache=True)
def _covered(by: Any, extent: int) -> tuple[int, int]:
    """The rows (or columns) [start, stop) that a picture covers which has moved so far."""
    start = min(max(by, 0), extent)
    return start, max(min(extent + by, extent), start)


@njit(cache=True, nogil=True, error_model="numpy", parallel=True)
def _moved_parallel(T: int, *given: Any) -> None:
    for t in prange(T):
        n0, n1 = share(np.int64(t), T, given[3].size, 1)
        _moved(n0, n1, *given)
