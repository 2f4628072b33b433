"""Huber's loss: squared near zero, absolute far from it."""

from __future__ import annotations

from typing import Any

from ..op import op
from . import _math as m


@op(z="...", t="...", value="", out=("value",))
def huber(z: Any, t: Any, value: Any, delta: float, mean: bool) -> None:
    """value = Σ h(z - t), divided by the number of elements for the mean.

    h(d) = d²/2 where |d| < δ, else δ·(|d| - δ/2).
    """
    edge, half = m.const(delta, z), m.const(0.5, z)
    d = z - t
    size = m.sign(d) * d
    near = m.positive(edge - size)
    inner = m.where(near, d, 0)  # a large d is not squared, so that it cannot overflow
    value[...] = m.total(m.where(near, half * inner * inner, edge * (size - half * edge)), mean)


@op(z="...", t="...", dvalue=":any", dz="...", out=("dz",))
def huber_backward(z: Any, t: Any, dvalue: Any, dz: Any, delta: float, mean: bool) -> None:
    """dz = dvalue·(d where |d| < δ, else δ·sign(d)), divided by the number of elements for the mean."""
    edge, scale = m.const(delta, z), m.const(float(dvalue), z)
    d = z - t
    slope = m.where(m.positive(edge - m.sign(d) * d), d, edge * m.sign(d))
    dz[...] = slope * (m.divide(scale, z.size) if mean else scale)
