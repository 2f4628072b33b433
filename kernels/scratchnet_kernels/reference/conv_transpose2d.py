"""ConvTranspose2d: the convolution that takes y to x, run backwards. Its forward is that convolution's dx.

So no sum is written here a second time: with the roles of x and y exchanged, `conv2d` and its backward have them all.
"""

from __future__ import annotations

from typing import Any

from ..errors import ShapeError
from ..op import Extents, op
from .conv2d import Pair, conv2d, conv2d_backward, conv2d_dims, conv2d_dx


def _dims(d: Extents, arguments: dict[str, Any]) -> Extents:
    """The convolution from y (O, OH, OW) to x (C, H, W), under the same W, must give the extents of x."""
    roles = {"O": d["C"], "C": d["O"], "H": d["OH"], "W": d["OW"], "Cg": d["Og"], "KH": d["KH"], "KW": d["KW"]}
    try:
        seen = conv2d_dims(roles, arguments)
    except ShapeError as error:
        error.where = "op conv_transpose2d, seen as the convolution from y to x"
        raise
    return {"H": seen["OH"], "W": seen["OW"]}


def _flops(d: Extents) -> int:
    return int(2 * d["N"] * d["C"] * d["H"] * d["W"] * d["Og"] * d["KH"] * d["KW"])


@op(
    x="N C H W",
    W="C Og KH KW",
    b="O",
    y="N O OH OW",
    out=("y",),
    optional=("b",),
    dims=_dims,
    flops=_flops,
)
def conv_transpose2d(
    x: Any, W: Any, b: Any, y: Any, stride: Pair, padding: tuple[Pair, Pair], dilation: Pair, groups: int
) -> None:
    """y[n, o, i·sh + kh·dh - top, j·sw + kw·dw - left] = b[o] + Σ x[n, c, i, j] W[c, o, kh, kw].

    The sum runs over all c, i, j, kh, kw that meet there; what falls outside y is dropped. With groups, o counts from
    the first output channel of the group that c belongs to.
    """
    conv2d_dx(W, x, y, stride, padding, dilation, groups)  # (N, C, H, W) -> (N, O, OH, OW)
    if b is not None:
        y += b[:, None, None]


@op(
    x="N C H W",
    W="C Og KH KW",
    dy="N O OH OW",
    dW="C Og KH KW",
    db="O",
    dx="N C H W",
    out=("dx",),
    adds=("dW", "db"),
    optional=("db", "dx"),
    dims=_dims,
    flops=lambda d: 2 * _flops(d),
)
def conv_transpose2d_backward(
    x: Any, W: Any, dy: Any, dW: Any, db: Any, dx: Any,
    stride: Pair, padding: tuple[Pair, Pair], dilation: Pair, groups: int,
) -> None:  # fmt: skip
    """Of y = Aᵀx + b, with x = A y the convolution: dx = A dy, dW as A's for the input dy and the cotangent x."""
    conv2d_backward(dy, W, x, dW, None, None, stride, padding, dilation, groups)
    if db is not None:
        db += dy.sum((0, 2, 3))  # (N, O, OH, OW) -> (O,)
    if dx is not None:
        conv2d(dy, W, None, dx, stride, padding, dilation, groups)  # (N, O, OH, OW) -> (N, C, H, W)
