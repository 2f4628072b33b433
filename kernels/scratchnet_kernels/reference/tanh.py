"""Tanh: y = tanh x."""

from __future__ import annotations

from typing import Any

from ..op import op
from . import _math as m


@op(x="...", y="...", out=("y",))
def tanh(x: Any, y: Any) -> None:
    """y = tanh x."""
    y[...] = m.tanh(x)


@op(y="...", dy="...", dx="...", out=("dx",))
def tanh_backward(y: Any, dy: Any, dx: Any) -> None:
    """dx = dy·(1 - y²)."""
    dx[...] = dy * (m.const(1, y) - y * y)
