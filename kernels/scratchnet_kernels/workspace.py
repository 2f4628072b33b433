"""Memory: aligned arrays, and the grow-only workspace that a kernel borrows from for the length of one call."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np

ALIGNMENT = 64  # bytes: one cache line, one AVX-512 register


def aligned(size: int, dtype: Any) -> np.ndarray[Any, Any]:
    """A flat array of `size` zeros whose first byte lies on a 64-byte boundary. Objects need no alignment."""
    dtype = np.dtype(dtype)
    if dtype.hasobject:
        return np.zeros(size, dtype)
    raw = np.zeros(size * dtype.itemsize + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size * dtype.itemsize].view(dtype)


def debugging() -> bool:
    """Whether SCRATCHNET_DEBUG asks for memory that is lent to be poisoned."""
    return os.environ.get("SCRATCHNET_DEBUG", "0") not in ("", "0")


def poison(array: np.ndarray[Any, Any]) -> None:
    """Fill with what no computation should meet: NaN, or the extreme of a whole-number type."""
    if array.dtype.kind in "fc":  # the imaginary part too: a complex step looks at nothing else
        array[...] = np.nan if array.dtype.kind == "f" else complex(np.nan, np.nan)
    elif array.dtype.kind in "iu":
        array[...] = np.iinfo(array.dtype).max


class Workspace:
    """Private memory of kernels. What `take` hands out is valid until `reset`, which the next op's door calls.

    One slab serves every dtype. It grows to the largest demand seen, so a call in steady state allocates nothing.
    """

    def __init__(self) -> None:
        self._slab = aligned(0, np.uint8)
        self._used = 0
        self._lent: dict[Any, tuple[np.ndarray[Any, Any], int]] = {}  # by place, shape and type: the same each time
        self._debug = debugging()

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._slab.nbytes

    def take(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray[Any, Any]:
        """An uninitialised array, 64-byte aligned."""
        key = self._used, shape, dtype
        if key not in self._lent:
            self._lend(shape, dtype)
            key = self._used, shape, dtype
        array, self._used = self._lent[key]
        if self._debug:
            poison(array)
        return array

    def _lend(self, shape: tuple[int, ...], dtype: Any) -> None:
        """Make the array that lies behind what is used, in a larger slab if need be."""
        nbytes = math.prod(shape) * np.dtype(dtype).itemsize
        stop = self._used + nbytes
        if stop > self._slab.nbytes:  # earlier arrays of this call keep the old slab alive
            self._slab, self._used, stop = aligned(max(stop, 2 * self._slab.nbytes), np.uint8), 0, nbytes
            self._lent.clear()
        if len(self._lent) > 256:
            self._lent.clear()
        array: np.ndarray[Any, Any] = self._slab[self._used : stop].view(dtype).reshape(shape)
        self._lent[self._used, shape, dtype] = array, stop + (-stop % ALIGNMENT)

    def reset(self) -> None:
        """What was handed out is free again."""
        self._used = 0
