"""Leaky ReLU: y = x where x > 0, else slope·x."""

from __future__ import annotations

from typing import Any

from ..op import op
from . import _math as m


@op(x="...", y="...", out=("y",))
def leaky_relu(x: Any, y: Any, slope: float) -> None:
    """y = x where x > 0, else slope·x."""
    y[...] = m.where(m.positive(x), x, x * m.const(slope, x))


@op(x="...", dy="...", dx="...", out=("dx",))
def leaky_relu_backward(x: Any, dy: Any, dx: Any, slope: float) -> None:
    """dx = dy where x > 0, else slope·dy; so at 0 the derivative is the slope."""
    dx[...] = m.where(m.positive(x), dy, dy * m.const(slope, x))
