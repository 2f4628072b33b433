"""GELU, exact and by tanh."""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from ..backend import kernel
from ..reference import gelu as reference
from ..reference.gelu import CUBE
from ..workspace import Workspace
from ._elementary import CONTRACT, exp, normal_cdf, tanh
from ._flat import is_fast
from ._loops import run_loop


@kernel("cpu")
def gelu(x: Any, y: Any, *, workspace: Workspace) -> None:
    """y = x·Φ(x)."""
    if not is_fast(x):
        return reference.gelu(x, y)
    run_loop(_forward, (x,), y, workspace)


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _forward(x: Any, y: Any) -> None:
    for i in range(x.size):
        y[i] = x[i] * normal_cdf(x[i])


@kernel("cpu")
def gelu_backward(x: Any, dy: Any, dx: Any, *, workspace: Workspace) -> None:
    """dx = dy·(Φ(x) + x·φ(x))."""
    if not is_fast(x):
        return reference.gelu_backward(x, dy, dx)
    run_loop(_backward, (x, dy), dx, workspace)


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _backward(x: Any, dy: Any, dx: Any) -> None:
    half, peak = x.dtype.type(0.5), x.dtype.type(1 / math.sqrt(2 * math.pi))
    for i in range(x.size):
        density = peak * exp(-half * x[i] * x[i])
        dx[i] = dy[i] * (normal_cdf(x[i]) + x[i] * density)


@kernel("cpu")
def gelu_tanh(x: Any, y: Any, *, workspace: Workspace) -> None:
    """y = x·(1 + tanh u)/2 with u = √(2/π)·(x + 0.044715·x³)."""
    if not is_fast(x):
        return reference.gelu_tanh(x, y)
    run_loop(_forward_tanh, (x,), y, workspace)


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _forward_tanh(x: Any, y: Any) -> None:
    one, half = x.dtype.type(1), x.dtype.type(0.5)
    root, cube = x.dtype.type(math.sqrt(2 / math.pi)), x.dtype.type(CUBE)
    for i in range(x.size):
        u = root * (x[i] + cube * x[i] * x[i] * x[i])
        y[i] = half * x[i] * (one + tanh(u))


@kernel("cpu")
def gelu_tanh_backward(x: Any, dy: Any, dx: Any, *, workspace: Workspace) -> None:
    """dx = dy·((1 + tanh u)/2 + x·(1 - tanh² u)/2·u')."""
    if not is_fast(x):
        return reference.gelu_tanh_backward(x, dy, dx)
    run_loop(_backward_tanh, (x, dy), dx, workspace)


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _backward_tanh(x: Any, dy: Any, dx: Any) -> None:
    one, half, three = x.dtype.type(1), x.dtype.type(0.5), x.dtype.type(3)
    root, cube = x.dtype.type(math.sqrt(2 / math.pi)), x.dtype.type(CUBE)
    for i in range(x.size):
        t = tanh(root * (x[i] + cube * x[i] * x[i] * x[i]))
        slope = root * (one + three * cube * x[i] * x[i])
        dx[i] = dy[i] * half * (one + t + x[i] * (one - t * t) * slope)
