"""RMSprop: divide the gradient by a running root mean square of itself."""

from __future__ import annotations

from typing import Any

from ..op import op
from ._math import maximum, sqrt


@op(
    p="P",
    g="P",
    s="P",
    a="P",
    v="P",
    hyper="4:f8",
    adds=("p", "g", "s", "a", "v"),
    optional=("a", "v"),
    dtypes=("float",),
)
def rmsprop(
    p: Any,
    g: Any,
    s: Any,
    a: Any,
    v: Any,
    hyper: Any,
    alpha: float,
    eps: float,
    momentum: float,
    weight_decay: float,
    lr_scale: float,
    zero: bool,
) -> None:
    """s = α s + (1-α) d²;  r = √s + eps;  p -= lr·d/r, or with momentum v = momentum·v + d/r;  p -= lr·v.

    hyper = [lr, step, clip factor, inverse loss scale];  d = clip·g/loss_scale + decay·p.
    Centred, where a is given: a += (1-α)(d - a) and r = √max(s - a², 0) + eps, a running standard deviation. The
    maximum is ours: rounding can leave s - a² just below 0, of which the root would be NaN.
    With `zero`, g = 0 afterwards; else g stays as it is.
    """
    cast = p.dtype.type
    lr, _, clip, inverse_scale = hyper.tolist()
    d = cast(clip * inverse_scale) * g + cast(weight_decay) * p
    s *= cast(alpha)
    s += cast(1 - alpha) * d * d
    variance = s
    if a is not None:
        a += cast(1 - alpha) * (d - a)
        variance = maximum(s - a * a, cast(0))
    d = d / (sqrt(variance) + cast(eps))
    if v is not None:
        v *= cast(momentum)
        v += d
        d = v
    p -= cast(lr * lr_scale) * d
    if zero:
        g[...] = 0
