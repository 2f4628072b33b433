"""Adam, with weight decay in the gradient (Adam) or beside it (AdamW)."""

from __future__ import annotations

from typing import Any

from ..op import op
from ._math import sqrt


@op(p="P", g="P", m="P", v="P", hyper="4:f8", adds=("p", "g", "m", "v"), dtypes=("float",))
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
) -> None:
    """m += (1-β1)(d - m);  v = β2 v + (1-β2) d²;  p -= lr/(1-β1ᵗ) · m / (√v/√(1-β2ᵗ) + eps).

    hyper = [lr, step t counted from 1, clip factor, inverse loss scale].
    Coupled: d = clip·g/loss_scale + decay·p. Decoupled: d has no decay in it, and p is first shrunk by 1 - lr·decay.
    With `zero`, g = 0 afterwards; else g stays as it is.
    """
    cast = p.dtype.type
    lr, t, clip, inverse_scale = hyper.tolist()
    lr *= lr_scale
    p *= cast(1 - lr * weight_decay if decoupled else 1)
    d = cast(clip * inverse_scale) * g + cast(0 if decoupled else weight_decay) * p
    m += cast(1 - beta1) * (d - m)
    v *= cast(beta2)
    v += cast(1 - beta2) * d * d
    p -= cast(lr / (1 - beta1**t)) * (m / (sqrt(v) / cast((1 - beta2**t) ** 0.5) + cast(eps)))
    if zero:
        g[...] = 0
