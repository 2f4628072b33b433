"""RMSprop in one pass over memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ..backend import kernel
from ..reference import rmsprop as reference
from ..workspace import Workspace
from ._flat import ABSENT, flat, is_fast, put_back


@kernel("cpu")
def rmsprop(
    p: Any,
    g: Any,
    s: Any,
    a: Any,
    v: Any,
    hyper: Any,
    alpha: float,
    eps: float,
    momentum: float,
    weight_decay: float,
    lr_scale: float,
    zero: bool,
    *,
    workspace: Workspace,
) -> None:
    """s = α s + (1-α) d²;  r = √(s or max(s - a², 0)) + eps;  p -= lr·(d/r, or v = momentum·v + d/r); zero: g = 0."""
    if not is_fast(p):
        return reference.rmsprop(p, g, s, a, v, hyper, alpha, eps, momentum, weight_decay, lr_scale, zero)
    cast = p.dtype.type
    lr, _, clip, inverse_scale = hyper.tolist()
    arrays = p, s, a, v, g
    P, S, A, V, G = (ABSENT[p.dtype] if array is None else flat(array, workspace) for array in arrays)
    _step(
        P,
        S,
        A,
        V,
        G,
        cast(clip * inverse_scale),
        cast(weight_decay),
        cast(alpha),
        cast(1 - alpha),
        cast(momentum),
        cast(lr * lr_scale),
        cast(eps),
        zero,
    )
    for flattened, array in zip((P, S, A, V, G), arrays, strict=True):
        if array is not None:
            put_back(flattened, array)


@njit(cache=True, error_model="numpy")
def _step(
    p: Any, s: Any, a: Any, v: Any, g: Any, scale: float, decay: float, alpha: float, rest: float, momentum: float,
    lr: float, eps: float, zero: bool,
) -> None:  # fmt: skip
    """rest = 1 - α."""
    centered, heavy = a.size > 0, v.size > 0
    least = p.dtype.type(0)
    for i in range(p.size):
        d = scale * g[i] + decay * p[i]
        variance = alpha * s[i] + rest * d * d
        s[i] = variance
        if centered:
            a[i] += rest * (d - a[i])
            variance -= a[i] * a[i]
            variance = least if variance < 0 else variance
        d /= np.sqrt(variance) + eps
        if heavy:
            d += momentum * v[i]
            v[i] = d
        p[i] -= lr * d
        if zero:
            g[i] = 0
