"""Positional embedding: to every place of a sequence, a row of its own is added."""

from __future__ import annotations

from typing import Any

from ..op import op


@op(x="N T D", P="T D", y="N T D", out=("y",))
def positional_embedding(x: Any, P: Any, y: Any) -> None:
    """y[n, t, d] = x[n, t, d] + P[t, d]."""
    y[...] = x + P


@op(dy="N T D", dP="T D", adds=("dP",))
def positional_embedding_backward(dy: Any, dP: Any) -> None:
    """Of y = x + P: dP += Σₙ dy. (dx is dy itself.)"""
    dP += dy.sum(0)  # (N, T, D) -> (T, D)
