"""Gather and scale: y = scale · images[index] + shift, channel by channel; and the same of pictures moved, mirrored."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import Extents, op


def _flops(d: Extents) -> int:
    return int(2 * d["N"] * d["C"] * (d["P"] if "P" in d else d["H"] * d["W"]))


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
    _scale(images[index], scale[:, None], shift[:, None], y)  # (M, C, P) -> (N, C, P), (C,) -> (C, 1)


@op(
    images="M C H W : any",
    index="N : i8",
    move="N 3 : i8",
    scale="C",
    shift="C",
    y="N C H W",
    out=("y",),
    dtypes=("float",),
    flops=_flops,
)
def gather_augment(images: Any, index: Any, move: Any, scale: Any, shift: Any, y: Any) -> None:
    """y[n, c, h, w] = pixel(h - down, w - right) · scale[c] + shift[c], with (down, right, mirror) = move[n].

    pixel(i, j) is images[index[n], c, i, W-1-j if mirror else j], and 0 where (i, j) is outside the picture: the
    picture is mirrored first if `mirror` is not 0, then it moves so many pixels down and to the right, and what comes
    in from outside is a raw 0, scaled and shifted like any pixel. Of images and index as `gather_scale`, which it is
    where no picture moves: bit for bit.
    """
    _, C, H, W = images.shape
    down, right, mirror = move.T[:, :, None]  # (N, 3) -> three of (N, 1)
    i, j = np.arange(H) - down, np.arange(W) - right  # (N, H), (N, W)
    inside = ((i >= 0) & (i < H))[:, None, :, None] & ((j >= 0) & (j < W))[:, None, None, :]  # (N, 1, H, W)
    i, j = i.clip(0, H - 1), np.where(mirror, W - 1 - j, j).clip(0, W - 1)
    picked = images[index[:, None, None, None], np.arange(C)[:, None, None], i[:, None, :, None], j[:, None, None, :]]
    picked = np.where(inside, picked, images.dtype.type(0))  # (N, C, H, W)
    _scale(picked, scale[:, None, None], shift[:, None, None], y)  # (C,) -> (C, 1, 1)


def _scale(picked: Any, scale: Any, shift: Any, y: Any) -> None:
    if picked.dtype.kind in "iub":
        picked = picked.astype(y.dtype)
    y[...] = picked * scale + shift
