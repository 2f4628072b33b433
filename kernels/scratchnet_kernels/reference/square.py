"""Square: y = x²."""

from __future__ import annotations

from typing import Any

from ..op import op
from . import _math as m


@op(x="...", y="...", out=("y",))
def square(x: Any, y: Any) -> None:
    """y = x²."""
    y[...] = x * x


@op(x="...", dy="...", dx="...", out=("dx",))
def square_backward(x: Any, dy: Any, dx: Any) -> None:
    """dx = 2x·dy."""
    dx[...] = m.const(2, x) * x * dy
