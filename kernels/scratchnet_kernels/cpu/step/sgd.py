"""SGD in a step: one pass over what the backward has not changed already, which also clears the gradients."""

from __future__ import annotations

from typing import Any

from numba import njit

from ..sgd import _momentum, _plain
from .emit import Writer, emits
from .model import Operation
from .update import stretches


@emits("sgd")
def sgd(writer: Writer, operation: Operation) -> None:
    """d = g + decay·p;  v = momentum·v + d;  p -= lr·v, or lr·(d + momentum·v) with Nesterov."""
    if writer.descents:
        return None
    settings = [writer.number(operation["weight_decay"])]
    settings += [f"np.{writer.model.dtype}(lr[s] * {operation['lr_scale']!r})"]
    if operation["v"] is None:
        given = [*stretches(writer, operation, "p", "g"), *settings]
        return writer.line(f"{writer.use('step.sgd', 'descend')}({', '.join(given)})", "p -= lr (g + decay p), g = 0")
    given = [*stretches(writer, operation, "p", "g", "v"), *settings]
    given += [writer.number(operation["momentum"]), writer.number(operation["nesterov"])]
    return writer.line(f"{writer.use('step.sgd', 'momentum')}({', '.join(given)})", "v = μ v + d, p -= lr v, g = 0")


@njit(cache=True)
def descend(p: Any, g: Any, decay: Any, lr: Any) -> None:
    """A step of plain descent; g = 0."""
    _plain(p, g, p.dtype.type(1), decay, lr, True)


@njit(cache=True)
def momentum(p: Any, g: Any, v: Any, decay: Any, lr: Any, momentum: Any, nesterov: Any) -> None:
    """A step with momentum; g = 0."""
    _momentum(p, g, v, p.dtype.type(1), decay, lr, momentum, nesterov, True)
