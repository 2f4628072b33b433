"""Conv2d: a cross-correlation with stride, border, dilation and groups, as in PyTorch."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import Extents, op

Pair = tuple[int, int]


def conv2d_out_size(size: int, kernel: int, stride: int, pad_total: int, dilation: int) -> int:
    """How many places the kernel has along one axis: ⌊(size + pad_total − reach) / stride⌋ + 1.

    `reach` = dilation·(kernel − 1) + 1 is what the kernel covers. Zero or less where it covers more than there is.
    """
    return (size + pad_total - dilation * (kernel - 1) - 1) // stride + 1


def conv2d_dims(d: Extents, arguments: dict[str, Any]) -> Extents:
    """OH and OW. Raises ShapeError for settings without meaning and channels that do not fit the groups."""
    stride, padding, dilation = arguments["stride"], arguments["padding"], arguments["dilation"]
    groups = arguments["groups"]
    if min(stride) < 1 or min(dilation) < 1 or min(*padding[0], *padding[1]) < 0 or groups < 1:
        raise ShapeError(
            "a convolution's step is at least 1 and its border at least 0",
            where="op conv2d",
            expected="stride >= 1, dilation >= 1, padding >= 0, groups >= 1",
            actual=f"stride={stride}, dilation={dilation}, padding={padding}, groups={groups}",
        )
    if d["O"] % groups:
        raise ShapeError(
            "the output channels do not divide into the groups",
            where="op conv2d",
            expected=f"a multiple of groups = {groups}",
            actual=f"O = {d['O']}",
        )
    if d["Cg"] * groups != d["C"]:
        raise ShapeError(
            "W does not fit the input channels",
            where="op conv2d, W",
            expected=f"Cg · groups = C = {d['C']}",
            actual=f"{d['Cg']} · {groups} = {d['Cg'] * groups}",
        )
    out = {}
    for i, (size, kernel) in enumerate((("H", "KH"), ("W", "KW"))):
        out["O" + size] = conv2d_out_size(d[size], d[kernel], stride[i], sum(padding[i]), dilation[i])
        if out["O" + size] < 1 or d[kernel] < 1:
            raise ShapeError(
                "the kernel covers more than the input and its border",
                where=f"op conv2d, axis {size}",
                expected=f"1 to {d[size] + sum(padding[i])} elements",
                actual=f"{dilation[i] * (d[kernel] - 1) + 1} (kernel {d[kernel]}, dilation {dilation[i]})",
                hint="make the kernel or its dilation smaller, or the padding larger",
            )
    return out


def _flops(d: Extents) -> int:
    return int(2 * d["N"] * d["O"] * d["OH"] * d["OW"] * d["Cg"] * d["KH"] * d["KW"])


def _bordered(x: Any, padding: tuple[Pair, Pair]) -> Any:
    """x within a border of zeros."""
    (top, bottom), (left, right) = padding
    N, C, H, W = x.shape
    out = np.zeros((N, C, top + H + bottom, left + W + right), x.dtype)
    out[:, :, top : top + H, left : left + W] = x  # (N, C, H, W) -> (N, C, top+H+bottom, left+W+right)
    return out


def _seen(x: Any, kh: int, kw: int, OH: int, OW: int, stride: Pair, dilation: Pair) -> Any:
    """The view of bordered x that kernel element (kh, kw) sees: one value for each output position."""
    h, w = kh * dilation[0], kw * dilation[1]
    rows = slice(h, h + stride[0] * (OH - 1) + 1, stride[0])
    columns = slice(w, w + stride[1] * (OW - 1) + 1, stride[1])
    return x[:, :, rows, columns]  # (N, C, Hp, Wp) -> (N, C, OH, OW)


@op(
    x="N C H W",
    W="O Cg KH KW",
    b="O",
    y="N O OH OW",
    out=("y",),
    optional=("b",),
    dims=conv2d_dims,
    flops=_flops,
)
def conv2d(
    x: Any, W: Any, b: Any, y: Any, stride: Pair, padding: tuple[Pair, Pair], dilation: Pair, groups: int
) -> None:
    """y[n, o, r, s] = b[o] + Σ W[o, c, kh, kw] xp[n, c, r·sh + kh·dh, s·sw + kw·dw] over c, kh, kw.

    xp is x within a border of zeros, `padding` = ((top, bottom), (left, right)) wide. With groups, channel c counts
    from the first input channel of the group that o belongs to.
    """
    (N, O, OH, OW), (_, Cg, KH, KW) = y.shape, W.shape  # noqa: E741
    xp = _bordered(x, padding)
    Wg = W.reshape(groups, O // groups, Cg, KH, KW)
    total = np.zeros((N, groups, O // groups, OH * OW), x.dtype)
    for kh, kw in product(range(KH), range(KW)):
        seen = _seen(xp, kh, kw, OH, OW, stride, dilation).reshape(N, groups, Cg, OH * OW)
        total += Wg[:, :, :, kh, kw] @ seen  # (G, Og, Cg) @ (N, G, Cg, OH*OW) -> (N, G, Og, OH*OW)
    y[...] = total.reshape(N, O, OH, OW)
    if b is not None:
        y += b[:, None, None]


@op(
    x="N C H W",
    W="O Cg KH KW",
    dy="N O OH OW",
    dW="O Cg KH KW",
    db="O",
    dx="N C H W",
    out=("dx",),
    adds=("dW", "db"),
    optional=("db", "dx"),
    dims=conv2d_dims,
    flops=lambda d: 2 * _flops(d),
)
def conv2d_backward(
    x: Any, W: Any, dy: Any, dW: Any, db: Any, dx: Any,
    stride: Pair, padding: tuple[Pair, Pair], dilation: Pair, groups: int,
) -> None:  # fmt: skip
    """dW += Σ dy xp, db += Σ dy, dx = Σ W dy: each sum over the places where the forward met the factor."""
    (N, O, OH, OW), (_, Cg, KH, KW) = dy.shape, W.shape  # noqa: E741
    xp = _bordered(x, padding)
    dyg = dy.reshape(N, groups, O // groups, OH * OW)
    for kh, kw in product(range(KH), range(KW)):
        # forward: total += Wg[:, :, :, kh, kw] @ seen
        seen = _seen(xp, kh, kw, OH, OW, stride, dilation).reshape(N, groups, Cg, OH * OW)
        dW_here = (dyg @ seen.swapaxes(2, 3)).sum(0)  # (N, G, Og, OH*OW) @ (N, G, OH*OW, Cg) -> (G, Og, Cg)
        dW[:, :, kh, kw] += dW_here.reshape(O, Cg)
    if db is not None:
        db += dy.sum((0, 2, 3))  # (N, O, OH, OW) -> (O,)
    if dx is not None:
        conv2d_dx(W, dy, dx, stride, padding, dilation, groups)


def conv2d_dx(W: Any, dy: Any, dx: Any, stride: Pair, padding: tuple[Pair, Pair], dilation: Pair, groups: int) -> None:
    """dx = Σ W dy: every dy[n, o, r, s] goes to the pixels that it was summed from. Also a transposed convolution."""
    (N, O, OH, OW), (_, Cg, KH, KW), (_, C, H, Wd) = dy.shape, W.shape, dx.shape  # noqa: E741
    (top, bottom), (left, right) = padding
    dxp = np.zeros((N, C, top + H + bottom, left + Wd + right), dx.dtype)
    Wg = W.reshape(groups, O // groups, Cg, KH, KW)
    dyg = dy.reshape(N, groups, O // groups, OH * OW)
    for kh, kw in product(range(KH), range(KW)):
        # forward: total += Wg[:, :, :, kh, kw] @ seen
        dseen = Wg[:, :, :, kh, kw].swapaxes(1, 2) @ dyg  # (G, Cg, Og) @ (N, G, Og, OH*OW) -> (N, G, Cg, OH*OW)
        where = _seen(dxp, kh, kw, OH, OW, stride, dilation)
        where += dseen.reshape(N, C, OH, OW)
    dx[...] = dxp[:, :, top : top + H, left : left + Wd]
