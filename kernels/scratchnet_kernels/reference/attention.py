"""Scaled dot-product attention: a mean of values, weighted by how well each key fits the query."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..op import Extents, op
from . import _math as m


def _flops(d: Extents) -> int:
    return int(4 * d["N"] * d["H"] * d["T"] * d["S"] * d["D"])


def _scale(like: Any) -> Any:
    """1/√D."""
    return m.const(1, like) / m.sqrt(m.const(like.shape[-1], like))


def _kept(mask: Any, causal: bool, T: int, S: int) -> Any:
    """Which keys a query sees: (N, 1, T, S), or (1, 1, T, S) without a mask."""
    kept = np.tri(T, S, dtype=bool)[None, None] if causal else np.ones((1, 1, T, S), bool)
    return kept if mask is None else kept & mask[:, None, None, :]  # (N, S) -> (N, 1, T, S)


@op(
    q="N H T D",
    k="N H S D",
    v="N H S D",
    mask="N S:bool",
    y="N H T D",
    P="N H T S",
    out=("y", "P"),
    optional=("mask",),
    flops=_flops,
)
def attention(q: Any, k: Any, v: Any, mask: Any, y: Any, P: Any, causal: bool) -> None:
    """y = P v with P = softmax(q kᵀ/√D) over the keys s that the query t sees; y = 0 and P = 0 where it sees none.

    It sees those with mask[n, s] (all, without a mask) and, if causal, s <= t. P has 0 at the others.
    """
    kept = _kept(mask, causal, q.shape[2], k.shape[2])
    some = kept.any(3, keepdims=True)
    scores = m.where(kept, q @ k.swapaxes(2, 3) * _scale(q), m.const(-math.inf, q))  # (N, H, T, D) -> (N, H, T, S)
    top = m.where(some, m.amax(scores, 3, keepdims=True), m.const(0, q))
    e = m.exp(scores - top)  # the quotient does not change, and exp cannot overflow; it is 0 at -inf
    P[...] = e / m.where(some, e.sum(3, keepdims=True), m.const(1, q))
    y[...] = P @ v  # (N, H, T, S) @ (N, H, S, D) -> (N, H, T, D)


@op(
    q="N H T D",
    k="N H S D",
    v="N H S D",
    P="N H T S",
    dy="N H T D",
    dq="N H T D",
    dk="N H S D",
    dv="N H S D",
    out=("dq", "dk", "dv"),
    flops=lambda d: 2 * _flops(d),
)
def attention_backward(q: Any, k: Any, v: Any, P: Any, dy: Any, dq: Any, dk: Any, dv: Any) -> None:
    """dv = Pᵀ dy; with dP = dy vᵀ, dS = P·(dP - Σₛ dP·P): dq = dS k/√D, dk = dSᵀ q/√D.

    Where P is 0 because a key is not seen, dS is 0 too, so neither mask nor `causal` is needed again.
    """
    # forward: y = P v
    dv[...] = P.swapaxes(2, 3) @ dy  # (N, H, S, T) @ (N, H, T, D) -> (N, H, S, D)
    dP = dy @ v.swapaxes(2, 3)  # (N, H, T, D) @ (N, H, D, S) -> (N, H, T, S)
    # forward: P = e^S / Σ e^S
    dS = P * (dP - (dP * P).sum(3, keepdims=True))
    # forward: S = q kᵀ/√D
    scale = _scale(q)
    dq[...] = dS @ k * scale
    dk[...] = dS.swapaxes(2, 3) @ q * scale
