"""Where a convolution's operands lie, so that every stride, border and dilation becomes one product of shifted rows.

An image is copied into a border of zeros, row after row at one `pitch`, and taken apart by the stride into phases:
plane (ph, pw) holds the rows ph, ph + sh, ... and the columns pw, pw + sw, ... What kernel element (kh, kw) sees is
then a stretch of one plane that begins at a fixed offset, and output position (r, s) is element r·pitch + s of the
stretch. Positions with s ≥ OW are computed too, from whatever lies there, and dropped.

    forward     y[o, p]  = Σₖ W[o, k] x[k, p]          k = (c, kh, kw), p = r·pitch + s
    dW          dW[o, k] += Σₚ dy[o, p] x[k, p]        dy at the same pitch, zeros where s ≥ OW
    dx          of each phase: dx[c, p] = Σₖ W[c, k] dy[k, p] with k = (o, kh, kw), the kernel elements of that phase
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ..reference.conv2d import Pair, conv2d_out_size


class Layout(NamedTuple):
    """The integers that the kernels need. All lengths are in elements."""

    C: int
    H: int
    W: int
    O: int  # noqa: E741
    OH: int
    OW: int
    groups: int
    taps: int  # kernel elements: KH·KW
    sh: int
    sw: int
    top: int
    left: int
    pitch: int
    x_phases_h: int  # phases of x that some kernel element sees
    x_phases_w: int
    x_rows: int  # rows of one plane of x
    dy_top: int  # border of dy
    dy_left: int
    dy_rows: int
    dx_rows: int  # rows and columns of one phase of dx
    dx_columns: int
    x_size: int  # scratch for one bordered x, one y, one bordered dy, one phase of dx
    y_size: int
    dy_size: int
    dx_size: int


class Tables(NamedTuple):
    """Where the rows of the products begin."""

    w_k: Any  # (Cg·KH·KW,) k in one row of W
    x_k: Any  # (Cg·KH·KW,) k in the bordered image
    dx_phase: Any  # (sh·sw + 1,) where each phase begins in the two below
    dx_w_k: Any  # (Og·KH·KW,) W[o, ., kh, kw]
    dx_dy_k: Any  # (Og·KH·KW,) the same k in the bordered dy


def _whole_lines(size: int) -> int:
    """`size` elements, and as many more as the next part needs to begin on a cache line."""
    return -(-size // 16) * 16


@lru_cache(maxsize=256)
def layout(
    x_shape: tuple[int, ...],
    W_shape: tuple[int, ...],
    stride: Pair,
    padding: tuple[Pair, Pair],
    dilation: Pair,
    groups: int,
    backward: bool,
    need_dx: bool,
) -> tuple[Layout, Tables]:
    """The layout of a forward, or of a backward with or without dx. Kept from call to call."""
    (_, C, H, W), (O, Cg, KH, KW) = x_shape, W_shape  # noqa: E741
    (sh, sw), (dh, dw) = stride, dilation
    (top, bottom), (left, right) = padding
    OH = conv2d_out_size(H, KH, sh, top + bottom, dh)
    OW = conv2d_out_size(W, KW, sw, left + right, dw)
    h, w = np.arange(KH)[:, None] * dh, np.arange(KW)[None, :] * dw  # where the kernel elements look, from its corner

    x_rows, x_columns = -(-(top + H + bottom) // sh), -(-(left + W + right) // sw)
    phases_h, phases_w = int((h % sh).max()) + 1, int((w % sw).max()) + 1

    # dx at (bordered) row sh·q + ph = Σ over kh of that phase of dy at row q − kh·dh//sh: q from q_h, dx_rows of them
    q_h, q_w = top // sh, left // sw
    dx_rows, dx_columns = (top + H - 1) // sh - q_h + 1, (left + W - 1) // sw - q_w + 1
    dy_top = max(int(h.max()) // sh - q_h, 0) if need_dx else 0
    dy_left = max(int(w.max()) // sw - q_w, 0) if need_dx else 0
    dy_rows = dy_top + (max(OH, q_h + dx_rows) if need_dx else OH)
    pitch = x_columns
    if backward:
        pitch = max(pitch, dy_left + (max(OW, q_w + dx_columns) if need_dx else OW))

    sizes = Layout(
        C, H, W, O, OH, OW, groups, KH * KW, sh, sw, top, left, pitch, phases_h, phases_w, x_rows,
        dy_top, dy_left, dy_rows, dx_rows, dx_columns,
        _whole_lines(C * phases_h * phases_w * x_rows * pitch), _whole_lines(O * OH * pitch),
        _whole_lines(O * dy_rows * pitch), _whole_lines(C * dx_rows * pitch) if need_dx else 0,
    )  # fmt: skip

    channel = np.arange(Cg)[:, None, None]
    plane = (channel * phases_h + h % sh) * phases_w + w % sw  # (Cg, KH, KW)
    x_k = (plane * x_rows + h // sh) * pitch + w // sw
    out_channel = np.arange(O // groups)[:, None, None]
    dx_w_k = out_channel * (Cg * KH * KW) + np.arange(KH * KW).reshape(KH, KW)  # (Og, KH, KW)
    dx_dy_k = (out_channel * dy_rows + q_h + dy_top - h // sh) * pitch + q_w + dy_left - w // sw
    phase = np.broadcast_to((h % sh) * sw + w % sw, dx_w_k.shape).reshape(-1)
    order = np.argsort(phase, kind="stable")
    starts = np.searchsorted(phase[order], np.arange(sh * sw + 1))
    table = (np.arange(Cg * KH * KW), x_k, starts, dx_w_k.reshape(-1)[order], dx_dy_k.reshape(-1)[order])
    return sizes, Tables(*(np.ascontiguousarray(entry.reshape(-1), dtype=np.int64) for entry in table))
