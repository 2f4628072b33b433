"""SGD in a step: one pass over what the backward has not changed already."""

from __future__ import annotations

from .emit import Writer, emits
from .model import Operation


@emits("sgd")
def sgd(writer: Writer, operation: Operation) -> None:
    """d = g + decay·p;  v = momentum·v + d;  p -= lr·v, or lr·(d + momentum·v) with Nesterov."""
    if writer.descents:
        return None
    p, g = (f"{store}[{operation['p'].start}:{operation['p'].stop}]" for store in ("parameters", "gradients"))
    rate = f"np.{writer.model.dtype}(lr[s] * {operation['lr_scale']!r})"
    one, decay = writer.number(1.0), writer.number(operation["weight_decay"])
    if operation["v"] is not None:
        v = f"velocity[{operation['p'].start}:{operation['p'].stop}]"
        given = [p, g, v, one, decay, rate, writer.number(operation["momentum"]), writer.number(operation["nesterov"])]
        return writer.line(f"{writer.use('sgd', '_momentum', 'momentum')}({', '.join(given)})", "v = μ v + d")
    threads = writer.threads(16 * operation["p"].size)
    call = writer.use("sgd", "_plain_parallel", "sgd_parallel") if threads else writer.use("sgd", "_plain", "sgd")
    given = [*([threads] if threads else []), p, g, one, decay, rate]
    return writer.line(f"{call}({', '.join(given)})", "p -= lr (g + decay p)")
