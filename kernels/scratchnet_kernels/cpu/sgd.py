"""SGD in one pass over memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from ..backend import kernel
from ..reference import sgd as reference
from ..workspace import Workspace
from ._flat import flat, is_fast, put_back
from ._threads import share, threads_of_pass

CACHE_LINE = 16  # float32 in 64 bytes: no two threads write into one line


@kernel("cpu")
def sgd(
    p: Any,
    g: Any,
    v: Any,
    hyper: Any,
    momentum: float,
    nesterov: bool,
    weight_decay: float,
    lr_scale: float,
    zero: bool,
    *,
    workspace: Workspace,
) -> None:
    """d = clip·g/loss_scale + decay·p; v = momentum·v + d; p -= lr·(d + momentum·v if nesterov else v); zero: g = 0."""
    if not is_fast(p):
        return reference.sgd(p, g, v, hyper, momentum, nesterov, weight_decay, lr_scale, zero)
    cast = p.dtype.type
    lr, _, clip, inverse_scale = hyper.tolist()
    factors = cast(clip * inverse_scale), cast(weight_decay), cast(lr * lr_scale)
    new_p, new_g = flat(p, workspace), flat(g, workspace)
    T = threads_of_pass(p.size)
    if v is None and T > 1:
        _plain_parallel(T, new_p, new_g, *factors, zero)
    elif v is None:
        _plain(new_p, new_g, *factors, zero)
    else:
        new_v = flat(v, workspace)
        _momentum(new_p, new_g, new_v, *factors, cast(momentum), nesterov, zero)
        put_back(new_v, v)
    put_back(new_p, p)
    if zero:
        put_back(new_g, g)


@njit(cache=True)
def _plain(p: Any, g: Any, scale: float, decay: float, lr: float, zero: bool) -> None:
    for i in range(p.size):
        p[i] -= lr * (scale * g[i] + decay * p[i])
        if zero:
            g[i] = 0


@njit(cache=True, parallel=True)
def _plain_parallel(T: int, p: Any, g: Any, scale: float, decay: float, lr: float, zero: bool) -> None:
    for t in prange(T):
        start, stop = share(np.int64(t), T, p.size, CACHE_LINE)
        _plain(p[start:stop], g[start:stop], scale, decay, lr, zero)


@njit(cache=True)
def _momentum(
    p: Any, g: Any, v: Any, scale: float, decay: float, lr: float, momentum: float, nesterov: bool, zero: bool
) -> None:
    for i in range(p.size):
        d = scale * g[i] + decay * p[i]
        v[i] = momentum * v[i] + d
        p[i] -= lr * (d + momentum * v[i] if nesterov else v[i])
        if zero:
            g[i] = 0
