"""Reshapes: views where they can be, copies through `k` where they cannot."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scratchnet.core.layer import Layer
from scratchnet.core.types import Array, Shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from scratchnet_kernels import OpTable


def is_view(x: Array, shape: Shape) -> bool:
    """Whether x can be seen in another shape, of as many elements, without moving an element.

    It can if every run of axes that the new shape melts down is one stretch with a single step.
    """
    if x.size == 0 or x.flags.c_contiguous:
        return True
    old = [(n, step) for n, step in zip(x.shape, x.strides, strict=True) if n != 1]
    new = [n for n in shape if n != 1]
    i = j = 0
    while i < len(old):  # old axes i..i_stop-1 and new axes j..j_stop-1: the shortest runs with as many elements
        i_stop, j_stop = i + 1, j + 1
        size, wanted = old[i][0], new[j]
        while size != wanted:
            if size < wanted:
                size, i_stop = size * old[i_stop][0], i_stop + 1
            else:
                wanted, j_stop = wanted * new[j_stop], j_stop + 1
        for (_, outer), (n, inner) in zip(old[i:i_stop], old[i + 1 : i_stop], strict=False):
            if outer != n * inner:
                return False
        i, j = i_stop, j_stop
    return True


def reshaped(k: OpTable, x: Array, shape: Shape, empty: Callable[..., Array]) -> Array:
    """x in another shape: a view where it can be one, else a copy in memory from `empty` (run.empty, run.scratch)."""
    if not is_view(x, shape):
        copy = empty(x.shape, x.dtype)
        k.copy(x, copy)
        x = copy
    return x.reshape(shape)


def melted(shape: Shape, axis: int, of: Layer) -> Shape:
    """(N, ..., C, ...) -> (A, C, B): what lies before the axis, the axis, what lies behind it.

    Raises ShapeError, in the name of the layer, where there is no such axis or it is that of the batch.
    """
    at = axis if axis > 0 else axis + len(shape)
    if not 0 < at < len(shape):
        raise of.refuse(f"an axis {axis} that is not the batch's", ("N", *shape[1:]))
    return math.prod(shape[:at]), shape[at], math.prod(shape[at + 1 :])
