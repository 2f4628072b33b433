"""Global average pooling: a sum in float64 for each channel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ..backend import kernel
from ..reference import global_avg_pool2d as reference
from ..workspace import Workspace
from ._flat import flat, is_fast, put_back
from ._moments import total
from ._slide import images


@kernel("cpu")
def global_avg_pool2d(x: Any, y: Any, *, workspace: Workspace) -> None:
    """y[n, c] = Σ x[n, c] / (H·W)."""
    if not is_fast(x):
        return reference.global_avg_pool2d(x, y)
    out = flat(y, workspace)
    _means(images(x, workspace), out)
    put_back(out, y)


@kernel("cpu")
def global_avg_pool2d_backward(dy: Any, dx: Any, *, workspace: Workspace) -> None:
    """dx[n, c, h, w] = dy[n, c] / (H·W)."""
    if not is_fast(dy):
        return reference.global_avg_pool2d_backward(dy, dx)
    out = images(dx, workspace)
    _spread(flat(dy, workspace), out)
    put_back(out, dx)


@njit(cache=True, error_model="numpy")
def _means(x: Any, y: Any) -> None:
    for p in range(len(x)):
        row = x[p].reshape(-1)
        y[p] = total(row) / row.size


@njit(cache=True, error_model="numpy")
def _spread(dy: Any, dx: Any) -> None:
    for p in range(len(dx)):
        row = dx[p].reshape(-1)
        row[:] = np.float64(dy[p]) / row.size
