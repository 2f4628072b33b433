"""ELU."""

from __future__ import annotations

from typing import Any

from numba import njit

from ..backend import kernel
from ..reference import elu as reference
from ..workspace import Workspace
from ._elementary import CONTRACT, exp, expm1
from ._flat import is_fast
from ._loops import run_loop


@kernel("cpu")
def elu(x: Any, y: Any, alpha: float, *, workspace: Workspace) -> None:
    """y = x where x > 0, else α(eˣ - 1)."""
    if not is_fast(x):
        return reference.elu(x, y, alpha)
    run_loop(_forward, (x,), y, workspace, alpha)


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _forward(x: Any, y: Any, alpha: Any) -> None:
    zero = x.dtype.type(0)
    for i in range(x.size):
        negative = zero if x[i] > 0 else x[i]
        y[i] = x[i] if x[i] > 0 else alpha * expm1(negative)


@kernel("cpu")
def elu_backward(x: Any, dy: Any, dx: Any, alpha: float, *, workspace: Workspace) -> None:
    """dx = dy where x > 0, else dy·α·eˣ."""
    if not is_fast(x):
        return reference.elu_backward(x, dy, dx, alpha)
    run_loop(_backward, (x, dy), dx, workspace, alpha)


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _backward(x: Any, dy: Any, dx: Any, alpha: Any) -> None:
    zero = x.dtype.type(0)
    for i in range(x.size):
        negative = zero if x[i] > 0 else x[i]
        dx[i] = dy[i] if x[i] > 0 else dy[i] * (alpha * exp(negative))
