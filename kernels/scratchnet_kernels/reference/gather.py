"""Gather and scale: y = scale · images[index] + shift, channel by channel."""

from __future__ import annotations

from typing import Any

from ..op import Extents, op


def _flops(d: Extents) -> int:
    return int(2 * d["N"] * d["C"] * d["P"])


@op(
    images="M C P : any",
    index="N : i8",
    scale="C",
    shift="C",
    y="N C P",
    out=("y",),
    dtypes=("float",),
    flops=_flops,
)
def gather_scale(images: Any, index: Any, scale: Any, shift: Any, y: Any) -> None:
    """y[n, c, p] = images[index[n], c, p] · scale[c] + shift[c].

    M samples of C channels of P pixels, of any integer or floating type. Integers are converted to y's type first,
    floats are used at the wider of both types. Whoever makes `index` answers for 0 <= index[n] < M.
    """
    picked = images[index]  # (M, C, P) -> (N, C, P)
    if picked.dtype.kind in "iub":
        picked = picked.astype(y.dtype)
    y[...] = picked * scale[:, None] + shift[:, None]  # (C,) -> (C, 1)
