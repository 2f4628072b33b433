"""Adam and AdamW in a step: one pass over each stretch of parameters, which also clears the gradients."""

from __future__ import annotations

from typing import Any

from numba import njit

from .. import adam as kernels
from .emit import Writer, emits
from .model import Operation
from .update import stretches


@emits("adam")
def adam(writer: Writer, operation: Operation) -> None:
    """m += (1-β1)(d - m);  v = β2 v + (1-β2) d²;  p -= lr/(1-β1ᵗ) · m / (√v/√(1-β2ᵗ) + eps)."""
    arrays = stretches(writer, operation, "p", "g", "m", "v")
    settings = [f"np.float64({float(operation[name])!r})" for name in ("beta1", "beta2", "eps", "weight_decay")]
    given = [*arrays, f"lr[s] * {operation['lr_scale']!r}", "np.float64(begun + s + 1)", *settings]
    call = writer.use("step.adam", "adam_step")
    comment = "m += (1-β1)(g - m), v = β2 v + (1-β2) g², p -= lr m / √v, m and v without their bias towards 0; g = 0"
    writer.line(f"{call}({', '.join([*given, writer.number(operation['decoupled'])])})", comment)


@njit(cache=True, error_model="numpy")
def adam_step(p: Any, g: Any, m: Any, v: Any, lr: Any, t: Any, beta1: Any, beta2: Any, eps: Any, decay: Any,
              decoupled: Any) -> None:  # fmt: skip
    """Step number t, counted from 1, without clipping or loss scale; g = 0."""
    cast = p.dtype.type
    kernels._step(
        p,
        m,
        v,
        g,
        cast(1.0),
        cast(0.0 if decoupled else decay),
        cast(1.0 - lr * decay if decoupled else 1.0),
        cast(1.0 - beta1),
        cast(beta2),
        cast(1.0 - beta2),
        cast(lr / (1.0 - beta1**t)),
        cast((1.0 - beta2**t) ** 0.5),
        cast(eps),
        True,
    )
