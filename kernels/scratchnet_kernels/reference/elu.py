"""ELU: y = x where x > 0, else α(eˣ - 1). Clevert, Unterthiner, Hochreiter 2016."""

from __future__ import annotations

from typing import Any

from ..op import op
from . import _math as m


@op(x="...", y="...", out=("y",))
def elu(x: Any, y: Any, alpha: float) -> None:
    """y = x where x > 0, else α(eˣ - 1)."""
    negative = m.where(m.positive(x), m.const(0, x), x)  # so that no large x goes through exp
    y[...] = m.where(m.positive(x), x, m.expm1(negative) * m.const(alpha, x))


@op(x="...", dy="...", dx="...", out=("dx",))
def elu_backward(x: Any, dy: Any, dx: Any, alpha: float) -> None:
    """dx = dy where x > 0, else dy·α·eˣ."""
    negative = m.where(m.positive(x), m.const(0, x), x)
    dx[...] = m.where(m.positive(x), dy, dy * m.exp(negative) * m.const(alpha, x))
