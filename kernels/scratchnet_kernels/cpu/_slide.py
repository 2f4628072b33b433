"""Windows that slide along a row, as the pooling kernels see them."""

from __future__ import annotations

from typing import Any

from numba import njit

from ..workspace import Workspace
from ._flat import flat


def images(array: Any, workspace: Workspace) -> Any:
    """(N, C, H, W) -> (N·C, H, W), contiguous."""
    N, C, H, W = array.shape
    return flat(array, workspace).reshape(N * C, H, W)


@njit(cache=True)
def inside(offset: int, extent: int, places: int, step: int) -> tuple[int, int]:
    """The places [start, stop) at which element i·step + offset lies in [0, extent)."""
    start = max(0, -(offset // step))
    stop = min(places, (extent - 1 - offset) // step + 1)
    return start, max(start, stop)
