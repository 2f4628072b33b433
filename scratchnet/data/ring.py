"""A few buffers in turn: one is lent again only when no view of it lives outside."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np

from scratchnet_kernels.workspace import aligned, debugging, poison

Array = np.ndarray[Any, Any]


class Ring:
    """Lends arrays of at most `nbytes` bytes, 64-byte aligned.

    NumPy lets every view hold the array that owns the memory, so that array's reference count says whether any view
    lives: slices, reshapes, tensors of other libraries that share it. If all buffers are out, a new one is made; only
    the first `keep` are lent again, the others go when their last view goes. SCRATCHNET_DEBUG=1 poisons what is lent.
    """

    def __init__(self, nbytes: int, keep: int = 4) -> None:
        self.nbytes, self.keep = nbytes, keep
        self._slabs: list[Array] = []
        self._poisons = debugging()
        self._idle = _references(aligned(nbytes, np.uint8))

    def take(self, shape: tuple[int, ...], dtype: Any) -> Array:
        """An uninitialised array that nobody else holds."""
        dtype = np.dtype(dtype)
        slab = self._free_slab()
        array: Array = slab[: math.prod(shape) * dtype.itemsize].view(dtype).reshape(shape)  # (bytes,) -> shape
        if self._poisons:
            poison(array)
        return array

    def _free_slab(self) -> Array:
        for slab in self._slabs:
            if _references(slab) == self._idle:
                return slab
        slab = aligned(self.nbytes, np.uint8)
        if len(self._slabs) < self.keep:
            self._slabs.append(slab)
        return slab


def _references(slab: Array) -> int:
    """How many hold the memory behind the slab: the slab, and every view of it."""
    return sys.getrefcount(slab.base)
