"""Gather and scale in one pass. The reference says what; here each pixel is read once and written once."""

from __future__ import annotations

from typing import Any

from numba import njit

from ..backend import kernel


@njit(cache=True, nogil=True, error_model="numpy")
def _integers(images: Any, index: Any, scale: Any, shift: Any, y: Any) -> None:
    for n in range(index.size):
        for c in range(scale.size):
            s, t, row, out = scale[c], shift[c], images[index[n], c], y[n, c]
            for p in range(out.size):
                out[p] = y.dtype.type(row[p]) * s + t


@njit(cache=True, nogil=True, error_model="numpy")
def _floats(images: Any, index: Any, scale: Any, shift: Any, y: Any) -> None:
    for n in range(index.size):
        for c in range(scale.size):
            s, t, row, out = scale[c], shift[c], images[index[n], c], y[n, c]
            for p in range(out.size):
                out[p] = row[p] * s + t


@kernel("cpu")
def gather_scale(images: Any, index: Any, scale: Any, shift: Any, y: Any) -> None:
    """One thread: the pass is bound by memory, and a batch is too short for a parallel region to pay."""
    (_floats if images.dtype.kind == "f" else _integers)(images, index, scale, shift, y)
