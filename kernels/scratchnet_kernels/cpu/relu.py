"""ReLU: bound by memory."""

from __future__ import annotations

from typing import Any

from ..backend import kernel
from ..reference import relu as reference
from ..workspace import Workspace
from ._flat import is_fast
from ._passes import RELU, RELU_BACKWARD, run_pass


@kernel("cpu")
def relu(x: Any, y: Any, *, workspace: Workspace) -> None:
    """y = x where x > 0, else 0. NaN stays NaN."""
    if not is_fast(x):
        return reference.relu(x, y)
    run_pass(RELU, x, x, y, workspace)


@kernel("cpu")
def relu_backward(y: Any, dy: Any, dx: Any, *, workspace: Workspace) -> None:
    """dx = dy where y > 0, else 0."""
    if not is_fast(y):
        return reference.relu_backward(y, dy, dx)
    run_pass(RELU_BACKWARD, y, dy, dx, workspace)
