"""Mean absolute error."""

from __future__ import annotations

from typing import Any

from ..op import op
from . import _math as m


@op(z="...", t="...", value="", out=("value",))
def mae(z: Any, t: Any, value: Any, mean: bool) -> None:
    """value = Σ |z - t|, divided by the number of elements for the mean. |d| = sign(d)·d, with sign(0) = 0."""
    d = z - t
    value[...] = m.total(m.sign(d) * d, mean)


@op(z="...", t="...", dvalue=":any", dz="...", out=("dz",))
def mae_backward(z: Any, t: Any, dvalue: Any, dz: Any, mean: bool) -> None:
    """dz = dvalue·sign(z - t), divided by the number of elements for the mean; 0 at equality."""
    scale = m.const(float(dvalue), z)
    dz[...] = m.sign(z - t) * (m.divide(scale, z.size) if mean else scale)
