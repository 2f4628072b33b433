"""Softmax cross-entropy with probabilities as targets, through a stable log-sum-exp."""

from __future__ import annotations

from typing import Any

from ..op import op
from . import _math as m


@op(z="N C", t="N C", w="C", value="", q="N C", out=("value", "q"), optional=("w",))
def soft_cross_entropy(z: Any, t: Any, w: Any, value: Any, q: Any, smoothing: float, mean: bool) -> None:
    """value = -Σₙ Σ_c a[n, c] log q[n, c], divided by N for the mean, with q = softmax(z).

    a[n, c] = w[c]·((1-ε)·t[n, c] + ε/C). Where a is 0 the class counts for nothing, even at log q = -inf. Saved: q.
    """
    shifted = z - m.amax(z, 1, keepdims=True)  # log q does not change, and exp cannot overflow
    e = m.exp(shifted)
    s = e.sum(axis=1, keepdims=True)
    q[...] = e / s
    log_q = shifted - m.log(s)
    a = _targets(t, w, smoothing)
    losses = -(a * m.where((a != 0) | m.is_nan(log_q), log_q, 0)).sum(axis=1)  # (N, C) -> (N,)
    value[...] = m.total(losses, mean)


@op(q="N C", t="N C", w="C", dvalue=":any", dz="N C", out=("dz",), optional=("w",))
def soft_cross_entropy_backward(q: Any, t: Any, w: Any, dvalue: Any, dz: Any, smoothing: float, mean: bool) -> None:
    """dz[n, c] = dvalue·(q[n, c]·Σ_c a[n, c] - a[n, c]), / N for the mean, from ∂log q_c/∂z_j = [c = j] - q_j."""
    a = _targets(t, w, smoothing)
    scale = m.const(float(dvalue), q)
    dz[...] = (q * a.sum(axis=1, keepdims=True) - a) * (m.divide(scale, len(q)) if mean else scale)


def _targets(t: Any, w: Any, smoothing: float) -> Any:
    """a, in the element type of t."""
    a = t if smoothing == 0 else t * m.const(1 - smoothing, t) + m.divide(m.const(smoothing, t), t.shape[1])
    return a if w is None else a * w
