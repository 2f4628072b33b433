"""Conv2d, ReLU and max pooling as one op. Nothing but the pooled output and the routed places is kept."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import Extents, op
from . import _math as m
from ._window import begin_inside
from .conv2d import Pair, conv2d, conv2d_backward, conv2d_dims, conv2d_out_size
from .max_pool2d import max_pool2d, max_pool2d_backward
from .relu import relu


def _dims(d: Extents, given: dict[str, Any]) -> Extents:
    """OH and OW of the convolution's output, which only exists inside the op; PH and PW as max_pool2d's door."""
    conv = conv2d_dims(d, given)
    hidden = {"H": conv["OH"], "W": conv["OW"], "OH": d["PH"], "OW": d["PW"]}
    most = begin_inside(hidden, given["window"], given["pool_stride"], given["pool_padding"])
    return conv | {"PH": most["OH"], "PW": most["OW"]}


def hidden_shape(
    x: tuple[int, ...], W: tuple[int, ...], stride: Pair, padding: tuple[Pair, Pair], dilation: Pair
) -> tuple[int, int, int, int]:
    """(N, O, OH, OW): the shape of the convolution's output, from the shapes of x and W."""
    OH, OW = (conv2d_out_size(x[2 + i], W[2 + i], stride[i], sum(padding[i]), dilation[i]) for i in range(2))
    return x[0], W[0], OH, OW


def _flops(d: Extents) -> int:
    return int(2 * d["N"] * d["O"] * d["OH"] * d["OW"] * d["Cg"] * d["KH"] * d["KW"])


def _backward_flops(d: Extents) -> int:
    """dW and dx at the routed positions alone: as many as there are outputs, if every unit lives."""
    return int(4 * d["N"] * d["O"] * d["PH"] * d["PW"] * d["Cg"] * d["KH"] * d["KW"])


@op(
    x="N C H W",
    W="O Cg KH KW",
    b="O",
    y="N O PH PW",
    at="N O PH PW:int",
    out=("y", "at"),
    optional=("b",),
    dims=_dims,
    flops=_flops,
)
def conv2d_relu_max_pool2d(
    x: Any, W: Any, b: Any, y: Any, at: Any,
    stride: Pair, padding: tuple[Pair, Pair], dilation: Pair, groups: int,
    window: Pair, pool_stride: Pair, pool_padding: Pair, pool_dilation: Pair,
) -> None:  # fmt: skip
    """y = max_pool2d(relu(conv2d(x, W, b))).

    at[n, o, i, j] = u·kw + v, the place in the window of the element that won, by the rules of `max_pool2d`, where
    y > 0. Elsewhere (every element of the window dead, or NaN) no gradient passes the ReLU: at = kh·kw, no place.
    """
    a = np.empty(hidden_shape(x.shape, W.shape, stride, padding, dilation), x.dtype)
    conv2d(x, W, b, a, stride, padding, dilation, groups)  # (N, C, H, W) -> (N, O, OH, OW)
    relu(a, a)
    max_pool2d(a, y, at, window, pool_stride, pool_padding, pool_dilation)  # (N, O, OH, OW) -> (N, O, PH, PW)
    at[...] = np.where(m.positive(y), at, window[0] * window[1])


@op(
    x="N C H W",
    W="O Cg KH KW",
    at="N O PH PW:int",
    dy="N O PH PW",
    dW="O Cg KH KW",
    db="O",
    dx="N C H W",
    out=("dx",),
    adds=("dW", "db"),
    optional=("db", "dx"),
    dims=_dims,
    flops=_backward_flops,
)
def conv2d_relu_max_pool2d_backward(
    x: Any, W: Any, at: Any, dy: Any, dW: Any, db: Any, dx: Any,
    stride: Pair, padding: tuple[Pair, Pair], dilation: Pair, groups: int,
    window: Pair, pool_stride: Pair, pool_padding: Pair, pool_dilation: Pair,
) -> None:  # fmt: skip
    """dW += Σ da xp, db += Σ da, dx = Σ W da, where da is dy at the places in `at`, and 0 at all others.

    Forward: y = a[the winner] where that is positive, a = conv2d(x, W, b). So da[the winner] += dy, of live units; a
    dead one's place lies outside its window, where max_pool2d_backward finds no element.
    """
    da = np.empty(hidden_shape(x.shape, W.shape, stride, padding, dilation), dy.dtype)
    max_pool2d_backward(at, dy, da, window, pool_stride, pool_padding, pool_dilation)  # -> (N, O, OH, OW)
    conv2d_backward(x, W, da, dW, db, dx, stride, padding, dilation, groups)
