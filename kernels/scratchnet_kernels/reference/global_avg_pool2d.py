"""Global average pooling: the mean of each channel."""

from __future__ import annotations

from typing import Any

from ..op import op
from . import _math as m


@op(x="N C H W", y="N C", out=("y",))
def global_avg_pool2d(x: Any, y: Any) -> None:
    """y[n, c] = Σ x[n, c] / (H·W)."""
    y[...] = m.mean(x, (2, 3))  # (N, C, H, W) -> (N, C)


@op(dy="N C", dx="N C H W", out=("dx",))
def global_avg_pool2d_backward(dy: Any, dx: Any) -> None:
    """Forward: y[n, c] = Σ x[n, c] / (H·W), so dx[n, c, h, w] = dy[n, c] / (H·W)."""
    dx[...] = m.divide(dy, dx.shape[2] * dx.shape[3])[:, :, None, None]  # (N, C) -> (N, C, 1, 1)
