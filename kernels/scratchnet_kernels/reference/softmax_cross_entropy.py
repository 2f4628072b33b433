"""Softmax cross-entropy with class indices as targets, through a stable log-sum-exp."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import op
from . import _math as m


@op(z="N C", t="N:int", w="C", value="", q="N C", total="", out=("value", "q", "total"), optional=("w",))
def softmax_cross_entropy(
    z: Any, t: Any, w: Any, value: Any, q: Any, total: Any, smoothing: float, ignore_index: int, mean: bool
) -> None:
    """value = Σₙ lossₙ / total, with lossₙ = -Σ_c a[n, c] log q[n, c] and q = softmax(z).

    a[n, c] = w[c]·((1-ε)·[c = tₙ] + ε/C), and 0 throughout a row whose target is `ignore_index`;
    total = Σₙ w[tₙ] over the other rows for the mean (PyTorch's), 1 for the sum. Saved: q and total.
    """
    shifted = z - m.amax(z, 1, keepdims=True)  # log q does not change, and exp cannot overflow
    e = m.exp(shifted)
    s = e.sum(axis=1, keepdims=True)
    q[...] = e / s
    log_q = shifted - m.log(s)
    a, weight = _targets(z, t, w, smoothing, ignore_index)
    total[...] = weight.sum() if mean else m.const(1, z)
    live = (t != ignore_index)[:, None]
    counts = live & ((a != 0) | m.is_nan(log_q))  # 0·log q is 0, even at log q = -inf
    value[...] = -(a * m.where(counts, log_q, 0)).sum() / total


@op(q="N C", t="N:int", w="C", total="", dvalue=":any", dz="N C", out=("dz",), optional=("w",))
def softmax_cross_entropy_backward(
    q: Any, t: Any, w: Any, total: Any, dvalue: Any, dz: Any, smoothing: float, ignore_index: int
) -> None:
    """dz[n, c] = dvalue/total · (q[n, c]·Σ_c a[n, c] - a[n, c]), from ∂log q_c/∂z_j = [c = j] - q_j."""
    a, _ = _targets(q, t, w, smoothing, ignore_index)
    live = (t != ignore_index)[:, None]
    scale = m.const(float(dvalue), q) / total[()]
    dz[...] = m.where(live, q * a.sum(axis=1, keepdims=True) - a, 0) * scale


def _targets(like: Any, t: Any, w: Any, smoothing: float, ignore_index: int) -> tuple[Any, Any]:
    """(a, the weight of each row), in the element type of `like`."""
    n, c = like.shape
    one = m.const(1, like)
    w = np.full(c, one, like.dtype) if w is None else w
    live = t != ignore_index
    label = m.where(live, t, 0)
    epsilon = m.const(smoothing, like)
    a = np.full((n, c), m.divide(epsilon * np.ones(1, like.dtype), c)[0], like.dtype)  # ε/C
    a[np.arange(n), label] += one - epsilon
    return m.where(live[:, None], a * w, 0), m.where(live, w[label], 0)
