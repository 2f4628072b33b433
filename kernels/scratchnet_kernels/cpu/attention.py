"""Attention: for every sample and head two products forward, four backward, and a softmax of rows between them.

Threads share the (sample, head) pairs. The weights are a full T × S matrix, zeros included: a NaN among the values
reaches every query of its head, as in the reference.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit, prange

from ..backend import kernel
from ..reference import attention as reference
from ..workspace import Workspace
from ._dots import dots
from ._elementary import CONTRACT, exp
from ._flat import flat, is_fast, put_back
from ._moments import product_with, total
from ._products import product, row_starts
from ._threads import share, threads

ZERO: Any = np.int64(0)
ONE: Any = np.int64(1)  # Numba would compile a function once more for a literal
EVERY_KEY = np.empty(0, bool)
"""Stands for a mask that is None. The kernels see that it is empty."""


@kernel("cpu")
def attention(q: Any, k: Any, v: Any, mask: Any, y: Any, P: Any, causal: bool, *, workspace: Workspace) -> None:
    """y = P v with P = softmax(q kᵀ/√D) over the keys that a query sees; 0 where it sees none."""
    if not is_fast(q):
        return reference.attention(q, k, v, mask, y, P, causal)
    N, H, T, D = q.shape
    S = k.shape[2]
    parts = max(1, min(N * H, threads(4 * N * H * T * S * D)))
    results = flat(y, workspace), flat(P, workspace)
    arguments = (
        *[flat(array, workspace) for array in (q, k, v)],
        EVERY_KEY if mask is None else flat(mask, workspace),
        *results,
        row_starts(S, D),
        row_starts(S, 1),
        *(N, H, T, S, D, causal),
    )
    if parts == 1:
        _forward(0, 1, *arguments)
    else:
        _forward_parallel(parts, *arguments)
    for flattened, array in zip(results, (y, P), strict=True):
        put_back(flattened, array)


@njit(cache=True, error_model="numpy")
def _forward(part: Any, parts: int, q: Any, k: Any, v: Any, mask: Any, y: Any, P: Any, row: Any, each: Any,
             N: int, H: int, T: int, S: int, D: int, causal: bool) -> None:  # fmt: skip
    """One thread's (sample, head) pairs."""
    first, last = share(part, parts, N * H, 1)
    scale = q.dtype.type(1 / math.sqrt(D))
    for i in range(first, last):
        a, b, p = i * T * D, i * S * D, i * T * S  # where this pair begins in q and y, in k and v, in P
        P[p : p + T * S] = 0
        y[a : a + T * D] = 0
        keys = mask[i // H * S : (i // H + 1) * S] if mask.size > 0 else mask
        dots(q, a, ZERO, D, k, b, ZERO, row, ONE, D, P, p, S, T, S)  # P += q kᵀ:  (T, D), (S, D) -> (T, S)
        for t in range(T):
            _softmax(P[p + t * S : p + (t + 1) * S], keys, t + 1 if causal else S, scale)
        product(P, p, S, each, v, b, row, S, y, a, D, T, D)  # y += P v:  (T, S), (S, D) -> (T, D)


@njit(cache=True, parallel=True)
def _forward_parallel(parts: int, q: Any, k: Any, v: Any, mask: Any, y: Any, P: Any, row: Any, each: Any,
                      N: int, H: int, T: int, S: int, D: int, causal: bool) -> None:  # fmt: skip
    for part in prange(parts):
        _forward(np.int64(part), parts, q, k, v, mask, y, P, row, each, N, H, T, S, D, causal)


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _softmax(scores: Any, keys: Any, count: int, scale: Any) -> None:
    """In place: softmax(scale·scores) over those of the first `count` keys that are kept, 0 elsewhere."""
    zero, low = scores.dtype.type(0), scores.dtype.type(-np.inf)
    some = False
    top = low
    for s in range(scores.size):
        if s < count and (keys.size == 0 or keys[s]):
            some = True
            scores[s] *= scale
            top = scores[s] if scores[s] > top else top  # a NaN is passed over here; it comes back in the sum
        else:
            scores[s] = low
    if not some:
        scores[:] = zero
        return
    for s in range(scores.size):
        scores[s] = exp(scores[s] - top)  # 0 at -inf
    whole = scores.dtype.type(total(scores))
    for s in range(scores.size):
        scores[s] /= whole


@kernel("cpu")
def attention_backward(
    q: Any, k: Any, v: Any, P: Any, dy: Any, dq: Any, dk: Any, dv: Any, *, workspace: Workspace
) -> None:
    """dv = Pᵀ dy; with dP = dy vᵀ, dS = P·(dP - Σₛ dP·P): dq = dS k/√D, dk = dSᵀ q/√D."""
    if not is_fast(q):
        return reference.attention_backward(q, k, v, P, dy, dq, dk, dv)
    N, H, T, D = q.shape
    S = k.shape[2]
    parts = max(1, min(N * H, threads(8 * N * H * T * S * D)))
    results = [flat(array, workspace) for array in (dq, dk, dv)]
    arguments: Any = (
        *[flat(array, workspace) for array in (q, k, v, P, dy)],
        *results,
        workspace.take((parts * T * S,), q.dtype),
        row_starts(S, D),
        row_starts(S, 1),
        row_starts(T, D),
        row_starts(T, S),
        *(N * H, T, S, D),
    )
    if parts == 1:
        _backward(0, 1, *arguments)
    else:
        _backward_parallel(parts, *arguments)
    for flattened, array in zip(results, (dq, dk, dv), strict=True):
        put_back(flattened, array)


@njit(cache=True, error_model="numpy")
def _backward(part: Any, parts: int, q: Any, k: Any, v: Any, P: Any, dy: Any, dq: Any, dk: Any, dv: Any, dS: Any,
              k_row: Any, each: Any, q_row: Any, P_row: Any, pairs: int, T: int, S: int, D: int) -> None:  # fmt: skip
    """One thread's (sample, head) pairs."""
    first, last = share(part, parts, pairs, 1)
    scale = q.dtype.type(1 / math.sqrt(D))
    mine = part * T * S  # where this thread's dS begins
    for i in range(first, last):
        a, b, p = i * T * D, i * S * D, i * T * S
        dq[a : a + T * D] = 0
        dk[b : b + S * D] = 0
        dv[b : b + S * D] = 0
        dS[mine : mine + T * S] = 0
        # forward: y = P v, so dv = Pᵀ dy and dP = dy vᵀ
        product(P, p, ONE, P_row, dy, a, q_row, T, dv, b, D, S, D)  # (T, S)ᵀ, (T, D) -> (S, D)
        dots(dy, a, ZERO, D, v, b, ZERO, k_row, ONE, D, dS, mine, S, T, S)  # (T, D), (S, D) -> (T, S)
        # forward: P = softmax(q kᵀ/√D), so dS = P·(dP - Σ dP·P), and with it 1/√D
        for t in range(T):
            _softmax_backward(P[p + t * S : p + (t + 1) * S], dS[mine + t * S : mine + (t + 1) * S], scale)
        # ... and dq = dS k, dk = dSᵀ q
        product(dS, mine, S, each, k, b, k_row, S, dq, a, D, T, D)  # (T, S), (S, D) -> (T, D)
        product(dS, mine, ONE, P_row, q, a, q_row, T, dk, b, D, S, D)  # (T, S)ᵀ, (T, D) -> (S, D)


@njit(cache=True, parallel=True)
def _backward_parallel(parts: int, q: Any, k: Any, v: Any, P: Any, dy: Any, dq: Any, dk: Any, dv: Any, dS: Any,
                       k_row: Any, each: Any, q_row: Any, P_row: Any,
                       pairs: int, T: int, S: int, D: int) -> None:  # fmt: skip
    for part in prange(parts):
        _backward(np.int64(part), parts, q, k, v, P, dy, dq, dk, dv, dS, k_row, each, q_row, P_row, pairs, T, S, D)


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _softmax_backward(P: Any, dP: Any, scale: Any) -> None:
    """dP becomes scale·P·(dP - Σ dP·P)."""
    s = P.dtype.type(product_with(P, 0.0, dP))
    for i in range(P.size):
        dP[i] = scale * P[i] * (dP[i] - s)
