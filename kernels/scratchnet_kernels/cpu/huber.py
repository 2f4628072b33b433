"""Huber's loss in one pass, summed in float64."""

from __future__ import annotations

from typing import Any

from numba import njit

from ..backend import kernel
from ..reference import huber as reference
from ..workspace import Workspace
from ._flat import flat, is_fast, put_back


@kernel("cpu")
def huber(z: Any, t: Any, value: Any, delta: float, mean: bool, *, workspace: Workspace) -> None:
    """value = Σ (d²/2 where |d| < δ, else δ·(|d| - δ/2)), d = z - t, divided by their number for the mean."""
    if not is_fast(z):
        return reference.huber(z, t, value, delta, mean)
    value[...] = _forward(flat(z, workspace), flat(t, workspace), z.dtype.type(delta), mean)


@njit(cache=True, error_model="numpy", fastmath={"reassoc", "contract"})
def _forward(z: Any, t: Any, delta: float, mean: bool) -> Any:
    s = 0.0
    for i in range(z.size):
        size = abs(z[i] - t[i])
        s += 0.5 * size * size if size < delta else delta * (size - 0.5 * delta)
    return z.dtype.type(s / z.size if mean else s)


@kernel("cpu")
def huber_backward(z: Any, t: Any, dvalue: Any, dz: Any, delta: float, mean: bool, *, workspace: Workspace) -> None:
    """dz = dvalue·(d where |d| < δ, else δ·sign(d)), divided by the number of elements for the mean."""
    if not is_fast(z):
        return reference.huber_backward(z, t, dvalue, dz, delta, mean)
    out = flat(dz, workspace)
    scale = float(dvalue) / (max(z.size, 1) if mean else 1)
    _backward(flat(z, workspace), flat(t, workspace), z.dtype.type(delta), z.dtype.type(scale), out)
    put_back(out, dz)


@njit(cache=True)
def _backward(z: Any, t: Any, delta: float, scale: float, dz: Any) -> None:
    # forward: d²/2 where |d| < δ, else δ·(|d| - δ/2)
    for i in range(z.size):
        d = z[i] - t[i]
        dz[i] = (delta if d >= delta else -delta if d <= -delta else d) * scale
