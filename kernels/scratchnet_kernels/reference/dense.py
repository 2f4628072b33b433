"""Dense: y = x Wᵀ + b."""

from __future__ import annotations

from typing import Any

from ..op import Extents, op


def _flops(d: Extents) -> int:
    return int(2 * d["N"] * d["I"] * d["O"])


@op(x="N I", W="O I", b="O", y="N O", out=("y",), optional=("b",), flops=_flops)
def dense(x: Any, W: Any, b: Any, y: Any) -> None:
    """y[n, o] = Σᵢ x[n, i] W[o, i] + b[o]."""
    y[...] = x @ W.T  # (N, I) @ (I, O) -> (N, O)
    if b is not None:
        y += b


@op(
    x="N I",
    W="O I",
    dy="N O",
    dW="O I",
    db="O",
    dx="N I",
    out=("dx",),
    adds=("dW", "db"),
    optional=("db", "dx"),
    flops=lambda d: 2 * _flops(d),
)
def dense_backward(x: Any, W: Any, dy: Any, dW: Any, db: Any, dx: Any) -> None:
    """dW += dyᵀ x, db += Σₙ dy, dx = dy W."""
    dW += dy.T @ x  # (O, N) @ (N, I) -> (O, I)
    if db is not None:
        db += dy.sum(0)  # (N, O) -> (O,)
    if dx is not None:
        dx[...] = dy @ W  # (N, O) @ (O, I) -> (N, I)
