"""SiLU: y = x·sigmoid(x). Hendrycks and Gimpel 2016; Ramachandran et al. 2017 ("swish")."""

from __future__ import annotations

from typing import Any

from ..op import op
from . import _math as m


@op(x="...", y="...", out=("y",))
def silu(x: Any, y: Any) -> None:
    """y = x·σ(x) with σ(x) = 1 / (1 + e⁻ˣ)."""
    y[...] = x * m.sigmoid(x)


@op(x="...", dy="...", dx="...", out=("dx",))
def silu_backward(x: Any, dy: Any, dx: Any) -> None:
    """dx = dy·σ(1 + x(1 - σ))."""
    s, one = m.sigmoid(x), m.const(1, x)
    dx[...] = dy * s * (one + x * (one - s))
