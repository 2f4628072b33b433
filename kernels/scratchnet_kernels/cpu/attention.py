"""Attention: for every sample and head two products forward, four backward, and a softmax of rows between them.

Threads share the (sample, head) pairs. The weights are a full T × S matrix, zeros included: a NaN among the values
reaches every query of its head, as in the reference. Vectors run along the keys where they can, for heads are short:
a thread transposes the k (in the backward, the v) of the pair that it works on.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit, prange

from ..backend import kernel
from ..reference import attention as reference
from ..workspace import Workspace
from ._attention import clear, heads, put_heads_back, softmax_rows, softmax_rows_backward, transpose
from ._flat import flat, is_fast, put_back
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
    flats, places = zip(*[heads(array, workspace) for array in (q, k, v, y)], strict=True)
    weights = flat(P, workspace)
    arguments: Any = (
        *(*flats, weights, EVERY_KEY if mask is None else flat(mask, workspace)),
        workspace.take((parts * D * S,), q.dtype),
        *(np.array(places), row_starts(max(D, S), 1), row_starts(D, S), row_starts(S, places[2][2])),
        *(N * H, H, T, S, D, causal),
    )
    if parts == 1:
        _forward(0, 1, *arguments)
    else:
        _forward_parallel(parts, *arguments)
    put_heads_back(flats[3], y)
    put_back(weights, P)


@njit(cache=True)
def _begin(places: Any, n: Any, pair: Any, H: int) -> Any:
    """Where the head of a (sample, head) pair begins in the n-th array."""
    return pair // H * places[n, 0] + pair % H * places[n, 1]


@njit(cache=True, error_model="numpy")
def _forward(part: Any, parts: int, q: Any, k: Any, v: Any, y: Any, P: Any, mask: Any, turned: Any,
             places: Any, each: Any, turned_row: Any, v_starts: Any,
             pairs: int, H: int, T: int, S: int, D: int, causal: bool) -> None:  # fmt: skip
    """One thread's (sample, head) pairs."""
    first, last = share(part, parts, pairs, 1)
    scale = q.dtype.type(1 / math.sqrt(D))
    q_row, k_row, y_row = places[0, 2], places[1, 2], places[3, 2]
    mine = part * D * S  # where this thread's kᵀ begins
    for i in range(first, last):
        a, b, c, d = _begin(places, 0, i, H), _begin(places, 1, i, H), _begin(places, 2, i, H), _begin(places, 3, i, H)
        p = i * T * S
        transpose(k, b, k_row, S, D, turned, mine)
        clear(P, p, S, T, S)
        clear(y, d, y_row, T, D)
        product(q, a, q_row, each, turned, mine, turned_row, D, P, p, S, T, S)  # (T, D) (D, S) -> (T, S)
        keys = mask[i // H * S : (i // H + 1) * S] if mask.size > 0 else mask
        softmax_rows(P, p, T, S, keys, causal, scale)
        product(P, p, S, each, v, c, v_starts, S, y, d, y_row, T, D)  # (T, S) (S, D) -> (T, D)


@njit(cache=True, parallel=True)
def _forward_parallel(parts: int, *arguments: Any) -> None:
    for part in prange(parts):
        _forward(np.int64(part), parts, *arguments)


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
    flats, places = zip(*[heads(array, workspace) for array in (q, k, v, dy, dq, dk, dv)], strict=True)
    arguments: Any = (
        *(*flats[:4], flat(P, workspace), *flats[4:]),
        *[workspace.take((parts * size,), q.dtype) for size in (D * S, T * S)],
        *(np.array(places), row_starts(max(D, S), 1), row_starts(D, S), row_starts(T, S)),
        *[row_starts(count, places[n][2]) for count, n in ((T, 0), (S, 1), (T, 3))],
        *(N * H, H, T, S, D),
    )
    if parts == 1:
        _backward(0, 1, *arguments)
    else:
        _backward_parallel(parts, *arguments)
    for flattened, array in zip(flats[4:], (dq, dk, dv), strict=True):
        put_heads_back(flattened, array)


@njit(cache=True, error_model="numpy")
def _backward(part: Any, parts: int, q: Any, k: Any, v: Any, dy: Any, P: Any, dq: Any, dk: Any, dv: Any,
              turned: Any, dS: Any, places: Any, each: Any, turned_row: Any, P_row: Any, q_row: Any, k_row: Any,
              dy_row: Any, pairs: int, H: int, T: int, S: int, D: int) -> None:  # fmt: skip
    """One thread's (sample, head) pairs."""
    first, last = share(part, parts, pairs, 1)
    scale = q.dtype.type(1 / math.sqrt(D))
    t, s = part * D * S, part * T * S  # where this thread's vᵀ and dS begin
    for i in range(first, last):
        p, a, b = i * T * S, _begin(places, 0, i, H), _begin(places, 1, i, H)
        given, da = _begin(places, 3, i, H), _begin(places, 4, i, H)
        db, dc = _begin(places, 5, i, H), _begin(places, 6, i, H)
        transpose(v, _begin(places, 2, i, H), places[2, 2], S, D, turned, t)
        clear(dq, da, places[4, 2], T, D)
        clear(dk, db, places[5, 2], S, D)
        clear(dv, dc, places[6, 2], S, D)
        clear(dS, s, S, T, S)
        # forward: y = P v, so dv = Pᵀ dy and dP = dy vᵀ
        product(P, p, ONE, P_row, dy, given, dy_row, T, dv, dc, places[6, 2], S, D)  # (T, S)ᵀ (T, D) -> (S, D)
        product(dy, given, places[3, 2], each, turned, t, turned_row, D, dS, s, S, T, S)  # (T, D) (D, S) -> (T, S)
        # forward: P = softmax(q kᵀ/√D), so dS = P·(dP - Σ dP·P), and with it 1/√D
        softmax_rows_backward(P, p, dS, s, T, S, scale)
        # ... and dq = dS k, dk = dSᵀ q
        product(dS, s, S, each, k, b, k_row, S, dq, da, places[4, 2], T, D)  # (T, S) (S, D) -> (T, D)
        product(dS, s, ONE, P_row, q, a, q_row, T, dk, db, places[5, 2], S, D)  # (T, S)ᵀ (T, D) -> (S, D)


@njit(cache=True, parallel=True)
def _backward_parallel(parts: int, *arguments: Any) -> None:
    for part in prange(parts):
        _backward(np.int64(part), parts, *arguments)
