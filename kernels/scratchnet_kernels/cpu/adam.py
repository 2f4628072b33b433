"""Adam and AdamW in one pass over memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ..backend import kernel
from ..reference import adam as reference
from ..workspace import Workspace
from ._flat import flat, is_fast, put_back


@kernel("cpu")
def adam(
    p: Any,
    g: Any,
    m: Any,
    v: Any,
    hyper: Any,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    decoupled: bool,
    lr_scale: float,
    zero: bool,
    *,
    workspace: Workspace,
) -> None:
    """m += (1-β1)(d - m);  v = β2 v + (1-β2) d²;  p -= lr/(1-β1ᵗ) · m / (√v/√(1-β2ᵗ) + eps); zero: g = 0."""
    if not is_fast(p):
        return reference.adam(p, g, m, v, hyper, beta1, beta2, eps, weight_decay, decoupled, lr_scale, zero)
    cast = p.dtype.type
    lr, t, clip, inverse_scale = hyper.tolist()
    lr *= lr_scale
    new = flat(p, workspace), flat(m, workspace), flat(v, workspace), flat(g, workspace)
    _step(
        *new,
        cast(clip * inverse_scale),
        cast(0 if decoupled else weight_decay),
        cast(1 - lr * weight_decay if decoupled else 1),
        cast(1 - beta1),
        cast(beta2),
        cast(1 - beta2),
        cast(lr / (1 - beta1**t)),
        cast((1 - beta2**t) ** 0.5),
        cast(eps),
        zero,
    )
    for flattened, array in zip(new, (p, m, v, g), strict=True):
        put_back(flattened, array)


@njit(cache=True, error_model="numpy")
def _step(
    p: Any, m: Any, v: Any, g: Any, scale: float, decay: float, keep: float, rest1: float, beta2: float, rest2: float,
    step: float, root: float, eps: float, zero: bool,
) -> None:  # fmt: skip
    """keep = 1 - lr·decay where the decay is decoupled; rest = 1 - β; step = lr/(1-β1ᵗ); root = √(1-β2ᵗ)."""
    for i in range(p.size):
        x = p[i] * keep
        d = scale * g[i] + decay * x
        mi = m[i] + rest1 * (d - m[i])
        vi = beta2 * v[i] + rest2 * d * d
        p[i] = x - step * (mi / (np.sqrt(vi) / root + eps))
        m[i] = mi
        v[i] = vi
        if zero:
            g[i] = 0
