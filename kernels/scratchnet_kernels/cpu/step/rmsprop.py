"""RMSprop in a step: one pass over each stretch of parameters, which also clears the gradients."""

from __future__ import annotations

from typing import Any

from numba import njit

from .. import rmsprop as kernels
from .emit import Writer, emits
from .model import Operation
from .update import stretches


@emits("rmsprop")
def rmsprop(writer: Writer, operation: Operation) -> None:
    """s = α s + (1-α) d²;  r = √(s or max(s - a², 0)) + eps;  p -= lr·(d/r, or v = momentum·v + d/r)."""
    roles = [role for role in ("p", "g", "s", "a", "v") if operation[role] is not None]
    given = dict(zip(roles, stretches(writer, operation, *roles), strict=True))
    arrays = [given.get(role) or writer.absent(1) for role in ("p", "g", "s", "a", "v")]
    settings = [f"np.float64({float(operation[name])!r})" for name in ("alpha", "eps", "momentum", "weight_decay")]
    call = writer.use("step.rmsprop", "rmsprop_step")
    given_lr = f"lr[s] * {operation['lr_scale']!r}"
    writer.line(f"{call}({', '.join([*arrays, given_lr, *settings])})", "s = α s + (1-α) g², p -= lr g / √s; g = 0")


@njit(cache=True, error_model="numpy")
def rmsprop_step(p: Any, g: Any, s: Any, a: Any, v: Any, lr: Any, alpha: Any, eps: Any, momentum: Any,
                 decay: Any) -> None:  # fmt: skip
    """A step without clipping or loss scale; g = 0. An array that is not kept is empty."""
    cast = p.dtype.type
    kernels._step(
        p,
        s,
        a,
        v,
        g,
        cast(1.0),
        cast(decay),
        cast(alpha),
        cast(1.0 - alpha),
        cast(momentum),
        cast(lr),
        cast(eps),
        True,
    )
