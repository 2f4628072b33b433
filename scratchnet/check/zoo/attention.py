"""Scaled dot-product attention: scales, transposes, the softmax's sum, masked rows, shared heads."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.core.types import Array

from .species import Species, bug


def attention_forward(q: Array, k: Array, v: Array, mask: Array) -> tuple[Array, Any]:
    """out = softmax(q·kᵀ/√d where mask)·v; a row that is masked throughout is 0. (T, d), (S, d), (S, e) -> (T, e)"""
    scores = np.where(mask, q @ k.T / np.sqrt(q.shape[1]), -np.inf)  # (T, S)
    top = np.where(mask.any(1), scores.max(1), 0)[:, None]
    e = np.exp(scores - top)
    p = e / np.maximum(e.sum(1, keepdims=True), 1e-300)
    return p @ v, (q, k, v, mask, p)


def attention_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array, Array, Array]:
    """dv = pᵀ·dout, ds = p·(dp − Σ dp·p) with dp = dout·vᵀ, dq = ds·k/√d, dk = dsᵀ·q/√d."""
    q, k, v, mask, p = cache
    scale = np.sqrt(q.shape[1])
    if wrong == "mask forgotten":
        e = np.exp(q @ k.T / scale)
        p = e / e.sum(1, keepdims=True)
    elif wrong == "masked row":
        with np.errstate(all="ignore"):
            e = np.where(mask, np.exp(q @ k.T / scale), 0)
            p = e / e.sum(1, keepdims=True)
    dv, dp = p.T @ dout, dout @ v.T
    if wrong == "p for p.T in dv":
        dv = p @ dout
    ds = p * (dp - (dp * p).sum(1, keepdims=True))
    if wrong == "sum dropped":
        ds = p * dp
    elif wrong == "sum over the queries":
        ds = p * (dp - (dp * p).sum(0, keepdims=True))
    elif wrong == "softmax skipped":
        ds = dp * mask
    elif wrong == "padded width in the scale":
        scale = np.sqrt(8)
    elif wrong == "scale twice":
        scale = q.shape[1]
    dq = ds @ k / (1 if wrong in ("1/√d missing in dq", "1/√d missing") else scale)
    dk = (ds if wrong == "ds for ds.T in dk" else ds.T) @ q / (1 if wrong.startswith("1/√d missing") else scale)
    if wrong == "1/√d missing in dq":
        dk = dk / scale
    if wrong == "dq and dk swapped":
        dq, dk = dk, dq
    elif wrong == "dk from k":
        dk = ds.T @ k / scale
    return dq, dk, dv


def shared_forward(q: Array, k: Array, v: Array) -> tuple[Array, Any]:
    """Multi-query attention: h heads of queries on one k and v. (h, T, d), (S, d), (S, e) -> (h, T, e)"""
    scores = q @ k.T / np.sqrt(q.shape[-1])
    e = np.exp(scores - scores.max(-1, keepdims=True))
    p = e / e.sum(-1, keepdims=True)  # (h, T, S)
    return p @ v, (q, k, v, p)


def shared_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array, Array, Array]:
    """As above; dk and dv are sums over the heads."""
    q, k, v, p = cache
    dp = dout @ v.T
    ds = p * (dp - (dp * p).sum(-1, keepdims=True)) / np.sqrt(q.shape[-1])
    dk, dv = ds.swapaxes(1, 2) @ q, p.swapaxes(1, 2) @ dout  # (h, S, d), (h, S, e)
    if wrong == "last head's":
        return ds @ k, dk[-1], dv[-1]
    if wrong == "mean over the heads":
        return ds @ k, dk.mean(0), dv.mean(0)
    return ds @ k, dk.sum(0), dv.sum(0)


def _inputs(T: int, S: int, d: int, e: int) -> Any:
    def draw(rng: np.random.Generator) -> dict[str, Any]:
        mask = np.tri(T, S, S - T, dtype=bool)
        mask[1] = False  # nothing to attend to
        return {"q": rng.normal(size=(T, d)), "k": rng.normal(size=(S, d)), "v": rng.normal(size=(S, e)), "mask": mask}

    return draw


_a = attention_backward
SPECIES = (
    Species(
        "attention", attention_forward, attention_backward, _inputs(3, 6, 5, 2),
        (
            bug(_a, "1/√d missing in dq", "q", "constant factor", "dq is not scaled"),
            bug(_a, "1/√d missing in dk", "k", "constant factor", "dk is not scaled"),
            bug(_a, "scale twice", "q, k", "constant factor", "1/d for 1/√d"),
            bug(_a, "padded width in the scale", "q, k", "constant factor", "1/√8 for 1/√5, in the backward only",
                "tile-ai/tilelang-ascend pull request #1670 (the padded width in the softmax scale)"),
            bug(_a, "sum dropped", "q, k", "term missing", "ds = p·dp",
                "huggingface/picotron issue #37 (the row sum in the softmax's backward)"),
            bug(_a, "sum over the queries", "q, k", "term missing, axis not summed, rows mixed",
                "the sum runs over axis 0"),
            bug(_a, "softmax skipped", "q, k", "array factor, term missing", "ds = dp"),
            bug(_a, "mask forgotten", "q, k, v", "mask, term missing", "p is computed anew without the mask"),
            bug(_a, "masked row", "q, k, v", "not finite", "0/0 in the row that is masked throughout",
                "pytorch/pytorch issue #41508; tracel-ai/burn pull request #4697"),
        ),
    ),
    Species(
        "attention, square", attention_forward, attention_backward, _inputs(4, 4, 4, 4),
        (
            bug(_a, "dq and dk swapped", "q, k", "transpose, rows mixed", "the two are returned in the wrong order",
                "ooples/AiDotNet.Tensors issue #49 (swapped and wrong values in dQ, dK, dV)"),
            bug(_a, "p for p.T in dv", "v", "transpose", "dv = p·dout fits by shape where T = S"),
            bug(_a, "ds for ds.T in dk", "k", "transpose", "dk = ds·q fits by shape where T = S"),
            bug(_a, "dk from k", "k", "rows mixed, transpose", "dsᵀ·k for dsᵀ·q"),
        ),
    ),
    Species(
        "attention, shared keys", shared_forward, shared_backward,
        lambda rng: {"q": rng.normal(size=(2, 3, 5)), "k": rng.normal(size=(4, 5)), "v": rng.normal(size=(4, 6))},
        (
            bug(shared_backward, "last head's", "k, v", "not added, axis not summed", "each head overwrites dk and dv"),
            bug(shared_backward, "mean over the heads", "k, v", "constant factor", "the heads are averaged"),
        ),
    ),
)  # fmt: skip
