"""Binary cross-entropy of logits, each element a question of its own."""

from __future__ import annotations

from typing import Any

from ..op import Extents, op
from . import _math as m


def _dims(extents: Extents, given: dict[str, Any]) -> Extents:
    """There is one weight for all elements, or one for each position of the last axis."""
    last = extents["..."][-1] if extents["..."] else 1
    return {"K": 1 if extents.get("K") == 1 else last}


@op(z="...", t="...", w="K", value="", out=("value",), optional=("w",), dims=_dims)
def bce_with_logits(z: Any, t: Any, w: Any, value: Any, mean: bool) -> None:
    """value = Σ (1-t)·softplus(z) + w·t·softplus(-z), divided by the number of elements for the mean.

    softplus(z) = log(1 + exp(z)) = max(z, 0) + log1p(exp(-|z|)), which neither overflows nor loses digits;
    softplus(z) = -log(1 - σ(z)) and softplus(-z) = -log σ(z).
    """
    z_positive = m.positive(z)
    tail = m.log1p(m.exp(m.where(z_positive, -z, z)))
    no = m.where(z_positive, z, 0) + tail
    yes = m.where(z_positive, 0, -z) + tail
    value[...] = m.total((m.const(1, z) - t) * no + _weighted(t, w) * yes, mean)


@op(z="...", t="...", w="K", dvalue=":any", dz="...", out=("dz",), optional=("w",), dims=_dims)
def bce_with_logits_backward(z: Any, t: Any, w: Any, dvalue: Any, dz: Any, mean: bool) -> None:
    """dz = dvalue·((1-t)·σ(z) - w·t·σ(-z)), divided by the number of elements for the mean.

    From softplus' = σ; both σ(z) and σ(-z) come from exp(-|z|), so that neither is a difference of near-equals.
    """
    z_positive, one = m.positive(z), m.const(1, z)
    e = m.exp(m.where(z_positive, -z, z))
    large, small = one / (one + e), e / (one + e)
    slope = (one - t) * m.where(z_positive, large, small) - _weighted(t, w) * m.where(z_positive, small, large)
    scale = m.const(float(dvalue), z)
    dz[...] = slope * (m.divide(scale, z.size) if mean else scale)


def _weighted(t: Any, w: Any) -> Any:
    return t if w is None else t * w
