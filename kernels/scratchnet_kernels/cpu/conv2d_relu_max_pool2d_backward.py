"""The backward of Conv2d, ReLU and max pooling in one go: it visits only the places that a gradient is routed to.

That is (`_routed`) where those are few and lie simply. Elsewhere it is the backward of the pooling, and then that of
the convolution.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ..backend import kernel
from ..reference import conv2d_relu_max_pool2d as reference
from ..reference.conv2d import Pair
from ..workspace import Workspace
from ._flat import ABSENT, flat, is_fast, put_back
from ._parts import parts
from ._patches import pack, patches
from ._routed import add_up, run, run_parallel
from ._routed_first import add_up_first, run_first, run_first_parallel
from ._threads import threads
from .conv2d import conv2d_backward
from .max_pool2d import max_pool2d_backward
from .simd import register_lanes

FEW_CHANNELS = 4  # of x, up to which many windows at a time are faster than patches
SUMS_BYTES = 1 << 27  # what the threads' own sums of dW may take together


@kernel("cpu")
def conv2d_relu_max_pool2d_backward(
    x: Any, W: Any, at: Any, dy: Any, dW: Any, db: Any, dx: Any,
    stride: Pair, padding: tuple[Pair, Pair], dilation: Pair, groups: int,
    window: Pair, pool_stride: Pair, pool_padding: Pair, pool_dilation: Pair, *, workspace: Workspace,
) -> None:  # fmt: skip
    """dW += Σ da xp, db += Σ da, dx = Σ W da, where da is dy at the places in `at`, and 0 at all others.

    The sparse sums leave out products with 0, which changes nothing unless x or W holds an infinity or NaN (0·∞ is
    NaN), or a routed dy does, which would reach beyond its patch; the dense sums take over then.
    """
    if not is_fast(x):
        return reference.conv2d_relu_max_pool2d_backward(
            x, W, at, dy, dW, db, dx,
            stride, padding, dilation, groups, window, pool_stride, pool_padding, pool_dilation,
        )  # fmt: skip
    settings = stride, padding, dilation, groups, window, pool_stride, pool_padding, pool_dilation
    way = _way(x.shape, W.shape, dy.shape, at.dtype == np.uint8, dx is not None, settings)
    simple = stride, padding, window, pool_stride, pool_dilation
    if way == "first" and _routed_first(x, W, at, dy, dW, db, simple, workspace):
        return
    if way == "routed" and _routed(x, W, at, dy, dW, db, dx, simple, workspace):
        return
    da = workspace.take(reference.hidden_shape(x.shape, W.shape, stride, padding, dilation), dy.dtype)
    max_pool2d_backward(at, dy, da, window, pool_stride, pool_padding, pool_dilation, workspace=workspace)
    conv2d_backward(x, W, da, dW, db, dx, stride, padding, dilation, groups, workspace=workspace)


@lru_cache(maxsize=256)
def _way(x: Any, W: Any, y: Any, bytes_: bool, need_dx: bool, settings: Any) -> str:
    """By which sums: "routed", "first", or "dense". Kept from call to call."""
    stride, padding, dilation, groups, window, pool_stride, pool_padding, pool_dilation = settings
    hidden = reference.hidden_shape(x, W, stride, padding, dilation)
    reach = [(n - 1) * s + d * (k - 1) for n, s, d, k in zip(y[2:], pool_stride, pool_dilation, window, strict=True)]
    simple = dilation == (1, 1) and groups == 1 and bytes_ and pool_padding == (0, 0)
    few = 2 * y[2] * y[3] <= hidden[2] * hidden[3]
    if not (simple and few and reach[0] < hidden[2] and reach[1] < hidden[3]):
        return "dense"
    quarters = window == pool_stride == (2, 2) and pool_dilation == (1, 1)
    first = not need_dx and x[1] <= FEW_CHANNELS and W[2:] == (3, 3) and stride == (1, 1)
    return "first" if first and quarters else "routed"


def _routed(x: Any, W: Any, at: Any, dy: Any, dW: Any, db: Any, dx: Any, settings: Any, workspace: Workspace) -> bool:
    """The sparse sums, patch by patch. False, and nothing added, where x, W or dy is not finite."""
    N, absent = len(x), ABSENT[x.dtype]
    g, windows, place = patches(x.shape, W.shape, dy.shape, x.dtype, *settings, dx is not None)
    T = threads((2 if dx is None else 4) * dy.size * g.KH * g.KW * g.C)
    T = max(1, min(T, N, SUMS_BYTES // (g.O * g.KH * g.length * x.itemsize)))
    results: Any = [absent if array is None else flat(array, workspace) for array in (dW, db, dx)]
    weights, packed = flat(W, workspace), absent
    if dx is not None:
        packed = workspace.take((g.O * g.KH * g.length,), x.dtype)
        pack(weights, packed, g)
    sums = workspace.take((T * (g.O * g.KH * g.length + -(-g.O // 16) * 16),), x.dtype)
    check = workspace.take((T,), x.dtype)
    places = -(-(g.PH * g.PW + 1) // 16) * 16  # one more than there are windows, and no cache line of another thread
    arguments = (
        flat(x, workspace),
        packed,
        flat(at, workspace),
        flat(dy, workspace),
        results[2],
        windows,
        place,
        sums,
        check,
        workspace.take((T * (g.size if dx is None else 2 * g.size),), x.dtype),
        workspace.take((T, places), np.int64).reshape(-1),
        workspace.take((T, places), x.dtype).reshape(-1),
        N,
        g,
    )
    if T == 1:
        run(0, 1, *arguments)
    else:
        run_parallel(T, *arguments)
    return add_up(T, sums, check, weights, results[0], results[1], g) and _put_back(results, (dW, db, dx))


def _routed_first(x: Any, W: Any, at: Any, dy: Any, dW: Any, db: Any, settings: Any, workspace: Workspace) -> bool:
    """The same sums of a first layer, many windows at a time."""
    N, absent, L = len(x), ABSENT[x.dtype], register_lanes(x.dtype)
    g, _ = parts(x.shape, W.shape, dy.shape, x.dtype, settings[1], (1, 1), 1)
    T = max(1, min(threads(8 * dy.size * g.C * 9), N))
    results: Any = [absent if array is None else flat(array, workspace) for array in (dW, db)]
    sums = workspace.take((T * (W.size + g.O) * L,), x.dtype)
    check = workspace.take((T,), x.dtype)
    scratch = workspace.take((T * g.size,), x.dtype)
    arguments = flat(x, workspace), flat(at, workspace), flat(dy, workspace), sums, check, scratch, N, g
    if T == 1:
        run_first(0, 1, *arguments)
    else:
        run_first_parallel(T, *arguments)
    return add_up_first(T, sums, check, flat(W, workspace), results[0], results[1], g) and _put_back(results, (dW, db))


def _put_back(flattened: Any, arrays: tuple[Any, ...]) -> bool:
    """Write results into the arrays that they are to be in."""
    for result, array in zip(flattened, arrays, strict=True):
        if array is not None:
            put_back(result, array)
    return True
