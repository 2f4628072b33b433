"""Softplus: y = ln(1 + e^(βx)) / β, a ReLU without the kink."""

from __future__ import annotations

from typing import Any

from ..op import op
from . import _math as m


@op(x="...", y="...", out=("y",))
def softplus(x: Any, y: Any, beta: float, threshold: float) -> None:
    """y = ln(1 + e^(βx)) / β, and x where βx > threshold.

    As max(βx, 0) + ln(1 + e^-|βx|), which cannot overflow whatever the threshold.
    """
    b = m.const(beta, x)
    t = x * b
    up = m.positive(t)
    smooth = m.where(up, t, m.const(0, x)) + m.log1p(m.exp(m.where(up, -t, t)))
    y[...] = m.where(m.positive(t - m.const(threshold, x)), x, smooth / b)


@op(x="...", dy="...", dx="...", out=("dx",))
def softplus_backward(x: Any, dy: Any, dx: Any, beta: float, threshold: float) -> None:
    """dx = dy·σ(βx), and dy where βx > threshold."""
    t = x * m.const(beta, x)
    dx[...] = m.where(m.positive(t - m.const(threshold, x)), dy, dy * m.sigmoid(t))
