"""Mean squared error in one pass, summed in float64."""

from __future__ import annotations

from typing import Any

from numba import njit

from ..backend import kernel
from ..reference import mse as reference
from ..workspace import Workspace
from ._flat import flat, is_fast, put_back


@kernel("cpu")
def mse(z: Any, t: Any, value: Any, mean: bool, *, workspace: Workspace) -> None:
    """value = Σ (z - t)², divided by the number of elements for the mean."""
    if not is_fast(z):
        return reference.mse(z, t, value, mean)
    value[...] = _forward(flat(z, workspace), flat(t, workspace), mean)


@njit(cache=True, error_model="numpy")
def _forward(z: Any, t: Any, mean: bool) -> Any:
    s = squares(z, t)
    return z.dtype.type(s / z.size if mean else s)


@njit(cache=True, error_model="numpy", fastmath={"reassoc", "contract"})
def squares(z: Any, t: Any) -> Any:
    """Σ (z - t)² in float64."""
    s = 0.0
    for i in range(z.size):
        d = z[i] - t[i]
        s += d * d
    return s


@kernel("cpu")
def mse_backward(z: Any, t: Any, dvalue: Any, dz: Any, mean: bool, *, workspace: Workspace) -> None:
    """dz = 2·dvalue·(z - t), divided by the number of elements for the mean."""
    if not is_fast(z):
        return reference.mse_backward(z, t, dvalue, dz, mean)
    out = flat(dz, workspace)
    scale = 2 * float(dvalue) / (max(z.size, 1) if mean else 1)
    _backward(flat(z, workspace), flat(t, workspace), z.dtype.type(scale), out)
    put_back(out, dz)


@njit(cache=True)
def _backward(z: Any, t: Any, scale: float, dz: Any) -> None:
    # forward: Σ (z - t)²
    for i in range(z.size):
        dz[i] = (z[i] - t[i]) * scale
