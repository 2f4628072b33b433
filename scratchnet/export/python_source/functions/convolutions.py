"""Convolutions, each a sum of matrix products, one for each element of the kernel."""

from __future__ import annotations

import numpy as np

from .array import Array, Border, Pair


def bordered(x: Array, padding: Border) -> Array:
    """x within a border of zeros: (N, C, H, W) -> (N, C, top + H + bottom, left + W + right)."""
    return np.pad(x, ((0, 0), (0, 0), *padding))


def under(x: Array, kh: int, kw: int, size: Pair, stride: Pair, dilation: Pair) -> Array:
    """What element (kh, kw) of the kernel sees, place by place: (N, C, H, W) -> (N, C, *size)."""
    h, w = kh * dilation[0], kw * dilation[1]
    rows = slice(h, h + stride[0] * (size[0] - 1) + 1, stride[0])
    return x[:, :, rows, w : w + stride[1] * (size[1] - 1) + 1 : stride[1]]


def conv2d(
    x: Array,
    W: Array,
    b: Array | None = None,
    stride: Pair = (1, 1),
    padding: Border = ((0, 0), (0, 0)),
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> Array:
    """y[n, k, r, s] = b[k] + Σ W[k, c, kh, kw] x[n, c, r·sh + kh·dh - top, s·sw + kw·dw - left]."""
    N, (K, Cg, KH, KW), xp = len(x), W.shape, bordered(x, padding)
    OH = (xp.shape[2] - dilation[0] * (KH - 1) - 1) // stride[0] + 1
    OW = (xp.shape[3] - dilation[1] * (KW - 1) - 1) // stride[1] + 1
    Wg = W.reshape(groups, K // groups, Cg, KH, KW)
    y = np.zeros((N, groups, K // groups, OH * OW), x.dtype)
    for kh in range(KH):
        for kw in range(KW):
            seen = under(xp, kh, kw, (OH, OW), stride, dilation).reshape(N, groups, Cg, OH * OW)
            y += Wg[:, :, :, kh, kw] @ seen  # (G, K/G, C/G) @ (N, G, C/G, OH*OW) -> (N, G, K/G, OH*OW)
    y = y.reshape(N, K, OH, OW)
    return y if b is None else y + b[:, None, None]


def conv2d_dx(W: Array, dy: Array, dx_size: Pair, stride: Pair, padding: Border, dilation: Pair, groups: int) -> Array:
    """dx = Σ W dy: every dy[n, k, r, s] goes to the pixels that it was summed from."""
    (N, K, *size), (_, Cg, KH, KW), ((top, bottom), (left, right)) = dy.shape, W.shape, padding
    H, width = dx_size
    dxp = np.zeros((N, Cg * groups, top + H + bottom, left + width + right), dy.dtype)
    Wg, dyg = W.reshape(groups, K // groups, Cg, KH, KW), dy.reshape(N, groups, K // groups, size[0] * size[1])
    for kh in range(KH):
        for kw in range(KW):
            dseen = Wg[:, :, :, kh, kw].swapaxes(1, 2) @ dyg  # (G, C/G, K/G) @ (N, G, K/G, OH*OW)
            seen = under(dxp, kh, kw, (size[0], size[1]), stride, dilation)
            seen += dseen.reshape(seen.shape)
    return dxp[:, :, top : top + H, left : left + width]


def conv2d_dW(x: Array, W: Array, dy: Array, stride: Pair, padding: Border, dilation: Pair, groups: int) -> Array:
    """dW[k, c, kh, kw] = Σ dy x over the places where the forward met that weight."""
    (N, K, *size), (_, Cg, KH, KW), xp = dy.shape, W.shape, bordered(x, padding)
    dW, dyg = np.zeros_like(W), dy.reshape(N, groups, K // groups, size[0] * size[1])
    for kh in range(KH):
        for kw in range(KW):
            seen = under(xp, kh, kw, (size[0], size[1]), stride, dilation).reshape(N, groups, Cg, size[0] * size[1])
            dW_here = (dyg @ seen.swapaxes(2, 3)).sum(0)  # (N, G, K/G, OH*OW) @ (N, G, OH*OW, C/G)
            dW[:, :, kh, kw] = dW_here.reshape(K, Cg)
    return dW


def conv2d_backward(
    x: Array,
    W: Array,
    dy: Array,
    stride: Pair = (1, 1),
    padding: Border = ((0, 0), (0, 0)),
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> tuple[Array, Array, Array]:
    """dx = Σ W dy, dW = Σ dy x, db = Σ dy: each sum over the places where the forward met the factor."""
    dx = conv2d_dx(W, dy, (x.shape[2], x.shape[3]), stride, padding, dilation, groups)
    return dx, conv2d_dW(x, W, dy, stride, padding, dilation, groups), dy.sum((0, 2, 3))


def conv_transpose2d(
    x: Array,
    W: Array,
    b: Array | None,
    y_size: Pair,
    stride: Pair = (1, 1),
    padding: Border = ((0, 0), (0, 0)),
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> Array:
    """y = Aᵀx + b, where A is the convolution by W from y's shape to x's."""
    y = conv2d_dx(W, x, y_size, stride, padding, dilation, groups)  # (N, C, H, W) -> (N, K, OH, OW)
    return y if b is None else y + b[:, None, None]


def conv_transpose2d_backward(
    x: Array,
    W: Array,
    dy: Array,
    stride: Pair = (1, 1),
    padding: Border = ((0, 0), (0, 0)),
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> tuple[Array, Array, Array]:
    """Of y = Aᵀx + b: dx = A dy, dW as A's for the input dy and the cotangent x, db = Σ dy."""
    dx = conv2d(dy, W, None, stride, padding, dilation, groups)
    return dx, conv2d_dW(dy, W, x, stride, padding, dilation, groups), dy.sum((0, 2, 3))
