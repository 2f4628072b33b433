"""Dense and ReLU as one op: y = max(x Wᵀ + b, 0)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import op
from .dense import _flops, dense, dense_backward
from .relu import relu, relu_backward


@op(x="N I", W="O I", b="O", y="N O", out=("y",), optional=("b",), flops=_flops)
def dense_relu(x: Any, W: Any, b: Any, y: Any) -> None:
    """y[n, o] = a[n, o] where a = x Wᵀ + b is positive, else 0. NaN stays NaN."""
    dense(x, W, b, y)  # (N, I) -> (N, O)
    relu(y, y)


@op(
    x="N I",
    W="O I",
    y="N O",
    dy="N O",
    dW="O I",
    db="O",
    dx="N I",
    out=("dx",),
    adds=("dW", "db"),
    optional=("db", "dx"),
    flops=lambda d: 2 * _flops(d),
)
def dense_relu_backward(x: Any, W: Any, y: Any, dy: Any, dW: Any, db: Any, dx: Any) -> None:
    """dW += daᵀ x, db += Σₙ da, dx = da W, where da = dy where y > 0, else 0; so the subgradient at 0 is 0."""
    da = np.empty(dy.shape, dy.dtype)
    relu_backward(y, dy, da)
    dense_backward(x, W, da, dW, db, dx)  # (N, O) -> (N, I)
