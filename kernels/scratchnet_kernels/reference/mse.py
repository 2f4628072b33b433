"""Mean squared error."""

from __future__ import annotations

from typing import Any

from ..op import op
from . import _math as m


@op(z="...", t="...", value="", out=("value",))
def mse(z: Any, t: Any, value: Any, mean: bool) -> None:
    """value = Σ (z - t)², divided by the number of elements for the mean."""
    d = z - t
    value[...] = m.total(d * d, mean)


@op(z="...", t="...", dvalue=":any", dz="...", out=("dz",))
def mse_backward(z: Any, t: Any, dvalue: Any, dz: Any, mean: bool) -> None:
    """dz = 2·dvalue·(z - t), divided by the number of elements for the mean."""
    scale = m.const(2 * float(dvalue), z)
    dz[...] = (z - t) * (m.divide(scale, z.size) if mean else scale)
