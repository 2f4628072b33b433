"""Dense and ReLU as one op: the cores of dense, which rectify a row's part while it is in the cache."""

from __future__ import annotations

from typing import Any

from ..backend import kernel
from ..reference import dense_relu as reference
from ..workspace import Workspace
from ._flat import is_fast
from .dense import backward, forward


@kernel("cpu")
def dense_relu(x: Any, W: Any, b: Any, y: Any, *, workspace: Workspace) -> None:
    """y[n, o] = a[n, o] where a = x Wᵀ + b is positive, else 0. NaN stays NaN."""
    if not is_fast(x):
        return reference.dense_relu(x, W, b, y)
    forward(x, W, b, y, True, workspace)


@kernel("cpu")
def dense_relu_backward(x: Any, W: Any, y: Any, dy: Any, dW: Any, db: Any, dx: Any, *, workspace: Workspace) -> None:
    """dW += daᵀ x, db += Σₙ da, dx = da W, where da = dy where y > 0, else 0."""
    if not is_fast(x):
        return reference.dense_relu_backward(x, W, y, dy, dW, db, dx)
    backward(x, W, y, dy, dW, db, dx, workspace)
