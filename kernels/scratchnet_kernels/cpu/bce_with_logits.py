"""Binary cross-entropy of logits in one pass, summed in float64."""

from __future__ import annotations

from typing import Any

from numba import njit

from ..backend import kernel
from ..reference import bce_with_logits as reference
from ..workspace import Workspace
from ._elementary import CONTRACT, exp, log1p
from ._flat import ABSENT, flat, is_fast, put_back


@kernel("cpu")
def bce_with_logits(z: Any, t: Any, w: Any, value: Any, mean: bool, *, workspace: Workspace) -> None:
    """value = Σ (1-t)·softplus(z) + w·t·softplus(-z), divided by the number of elements for the mean."""
    if not is_fast(z):
        return reference.bce_with_logits(z, t, w, value, mean)
    weights = ABSENT[z.dtype] if w is None else flat(w, workspace)
    losses = workspace.take((1024,), z.dtype)
    value[...] = _forward(flat(z, workspace), flat(t, workspace), weights, losses, mean)


@njit(cache=True, fastmath={"reassoc"})
def _sum(a: Any, count: int) -> float:
    """Apart from `exp`, which is wrong under `reassoc`; and without `reassoc` no sum is vector code."""
    s = 0.0
    for i in range(count):
        s += a[i]
    return s


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _forward(z: Any, t: Any, w: Any, losses: Any, mean: bool) -> Any:
    """`losses` is room for a block of them."""
    one, zero = z.dtype.type(1), z.dtype.type(0)
    s = 0.0
    for start in range(0, z.size, losses.size):
        count = min(losses.size, z.size - start)
        for j in range(count):
            i = start + j
            tail = log1p(exp(-abs(z[i])))
            no = (z[i] if z[i] > 0 else zero) + tail
            yes = (zero if z[i] > 0 else -z[i]) + tail
            weight = w[i % w.size] if w.size > 0 else one
            losses[j] = (one - t[i]) * no + weight * t[i] * yes
        s += _sum(losses, count)
    return z.dtype.type(s / z.size if mean else s)


@kernel("cpu")
def bce_with_logits_backward(z: Any, t: Any, w: Any, dvalue: Any, dz: Any, mean: bool, *, workspace: Workspace) -> None:
    """dz = dvalue·((1-t)·σ(z) - w·t·σ(-z)), divided by the number of elements for the mean."""
    if not is_fast(z):
        return reference.bce_with_logits_backward(z, t, w, dvalue, dz, mean)
    weights = ABSENT[z.dtype] if w is None else flat(w, workspace)
    out = flat(dz, workspace)
    scale = float(dvalue) / (max(z.size, 1) if mean else 1)
    _backward(flat(z, workspace), flat(t, workspace), weights, z.dtype.type(scale), out)
    put_back(out, dz)


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _backward(z: Any, t: Any, w: Any, scale: float, dz: Any) -> None:
    # forward: (1-t)·softplus(z) + w·t·softplus(-z), and softplus' = σ
    one = z.dtype.type(1)
    for i in range(z.size):
        e = exp(-abs(z[i]))
        large = one / (one + e)
        small = e / (one + e)
        no = large if z[i] > 0 else small
        yes = small if z[i] > 0 else large
        weight = w[i % w.size] if w.size > 0 else one
        dz[i] = ((one - t[i]) * no - weight * t[i] * yes) * scale
