"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from typing import Any

from ..op import op


@op(
    p="P",
    g="P",
    v="P",
    hyper="4:f8",
    adds=("p", "g", "v"),
    optional=("v",),
    dtypes=("float",),
)
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
) -> None:
    """d = clip·g/loss_scale + decay·p;  v = momentum·v + d;  p -= lr·(d + momentum·v if nesterov else v).

    hyper = [lr, step, clip factor, inverse loss scale]. Without momentum, v is None and p -= lr·d.
    At the first step v begins as d, as in PyTorch: v is zero then, so the formula says the same.
    With `zero`, g = 0 afterwards; else g stays as it is.
    """
    lr, _, clip, inverse_scale = (p.dtype.type(h) for h in hyper)
    d = (clip * inverse_scale) * g + p.dtype.type(weight_decay) * p
    if v is not None:
        v *= p.dtype.type(momentum)
        v += d
        d = d + p.dtype.type(momentum) * v if nesterov else v
    p -= (lr * p.dtype.type(lr_scale)) * d
    if zero:
        g[...] = 0
