"""Sigmoid: y = 1 / (1 + e⁻ˣ)."""

from __future__ import annotations

from typing import Any

from ..op import op
from . import _math as m


@op(x="...", y="...", out=("y",))
def sigmoid(x: Any, y: Any) -> None:
    """y = 1 / (1 + e⁻ˣ), from e^-|x|, which cannot overflow."""
    y[...] = m.sigmoid(x)


@op(y="...", dy="...", dx="...", out=("dx",))
def sigmoid_backward(y: Any, dy: Any, dx: Any) -> None:
    """dx = dy·y(1 - y)."""
    dx[...] = dy * y * (m.const(1, y) - y)
