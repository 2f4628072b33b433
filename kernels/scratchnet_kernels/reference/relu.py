"""ReLU: y = max(x, 0)."""

from __future__ import annotations

from typing import Any

from ..op import op
from . import _math as m


@op(x="...", y="...", out=("y",))
def relu(x: Any, y: Any) -> None:
    """y = x where x > 0, else 0. NaN stays NaN."""
    y[...] = m.where(m.positive(x) | m.is_nan(x), x, 0)


@op(y="...", dy="...", dx="...", out=("dx",))
def relu_backward(y: Any, dy: Any, dx: Any) -> None:
    """dx = dy where y > 0, else 0; so the subgradient at 0 is 0."""
    dx[...] = m.where(m.positive(y), dy, 0)
