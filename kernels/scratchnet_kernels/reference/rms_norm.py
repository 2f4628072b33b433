"""Root-mean-square normalisation: the last axis by its own length, without centring."""

from __future__ import annotations

from typing import Any

from ..op import op
from . import _math as m


@op(x="... D", gamma="D", y="... D", rrms="...:any", out=("y", "rrms"), optional=("gamma",))
def rms_norm(x: Any, gamma: Any, y: Any, rrms: Any, eps: float) -> None:
    """y = gamma·x·rrms with rrms = 1/√(Σ_d x² / D + eps), the reciprocal root mean square of the last axis.

    rrms may be wider than x (float64 beside float32); all arithmetic is as wide as it is.
    """
    wide = x.astype(rrms.dtype)
    square = m.mean(wide * wide, -1)  # (..., D) -> (...)
    rrms[...] = m.const(1, wide) / m.sqrt(square + m.const(eps, wide))
    xhat = wide * rrms[..., None]
    y[...] = xhat if gamma is None else gamma * xhat


@op(
    x="... D",
    gamma="D",
    rrms="...:any",
    dy="... D",
    dgamma="D",
    dx="... D",
    out=("dx",),
    adds=("dgamma",),
    optional=("gamma", "dgamma", "dx"),
)
def rms_norm_backward(x: Any, gamma: Any, rrms: Any, dy: Any, dgamma: Any, dx: Any) -> None:
    """dgamma += Σ dy·xhat, dx = rrms·(t - xhat·Σ_d(t·xhat) / D) with t = gamma·dy.

    Forward: y = gamma·xhat with xhat = x·rrms, so t is the gradient by xhat. As rrms = (Σ x² / D + eps)^(-1/2),
    ∂rrms/∂x_d = -½·rrms³·2x_d/D = -rrms²·xhat_d/D, hence dx_d = Σⱼ tⱼ·(rrms·[d = j] - xⱼ·rrms²·xhat_d/D), and
    xⱼ·rrms = xhatⱼ.
    """
    t, xhat = dy.astype(rrms.dtype), x * rrms[..., None]
    if dgamma is not None:
        dgamma += (t * xhat).sum(axis=tuple(range(x.ndim - 1)))  # (..., D) -> (D,)
    if dx is not None:
        t = t if gamma is None else gamma * t
        dx[...] = rrms[..., None] * (t - xhat * m.mean(t * xhat, -1, keepdims=True))
