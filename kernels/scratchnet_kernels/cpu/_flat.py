"""Arrays as the kernels take them: flat, C-contiguous, floats of one of two element types, indices of one."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..workspace import Workspace

Array = np.ndarray[Any, Any]

ABSENT = {np.dtype(kind): np.empty(0, kind) for kind in (np.float32, np.float64)}
"""Stands for an array that is None, by element type. The kernels see that it is empty."""


def is_fast(array: Array) -> bool:
    """Whether there are compiled kernels for the element type. All others run on the reference."""
    return array.dtype in ABSENT


def flat(array: Array, workspace: Workspace) -> Array:
    """The elements in C order: a view if they lie so in memory, else a copy in the workspace."""
    if array.flags.carray:
        return array.ravel()  # a view, and twice as fast as reshape(-1)
    copy = workspace.take(array.shape, array.dtype)
    copy[...] = array
    return copy.ravel()


def indices(array: Array, workspace: Workspace) -> Array:
    """Whole numbers in C order, as int64 whatever their type, so that there is one compilation."""
    if array.dtype == np.int64 and array.flags.carray:
        return array.ravel()
    copy = workspace.take(array.shape, np.int64)
    copy[...] = array
    return copy.reshape(-1)


def put_back(flattened: Array, array: Array) -> None:
    """Write what a kernel left in `flattened` into the array that it came from, if it is a copy."""
    if not array.flags.carray:
        array[...] = flattened.reshape(array.shape)
