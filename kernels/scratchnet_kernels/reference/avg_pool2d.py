"""Average pooling: the mean of each window."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import Extents, op
from . import _math as m
from ._window import begin_inside, seen


def _dims(d: Extents, given: dict[str, Any]) -> Extents:
    return begin_inside(d, given["window"], given["stride"], given["padding"])


@op(x="N C H W", y="N C OH OW", out=("y",), dims=_dims)
def avg_pool2d(x: Any, y: Any, window: Any, stride: Any, padding: Any, count_include_pad: bool) -> None:
    """y[n, c, i, j] = Σ of x over the window at (i, j) / count[i, j].

    count is the number of the window's elements inside the image, those in the padding included if
    `count_include_pad`. What lies beyond the padding (ceil mode) never counts.
    """
    y[...] = m.const(0, x)
    for u in range(window[0]):
        for v in range(window[1]):
            out, inside = seen((u, v), x, y, stride, padding, (1, 1))
            y[out] += x[inside]
    y[...] = m.divide(y, counts(x, y, window, stride, padding, count_include_pad))


@op(dy="N C OH OW", dx="N C H W", out=("dx",), dims=_dims)
def avg_pool2d_backward(dy: Any, dx: Any, window: Any, stride: Any, padding: Any, count_include_pad: bool) -> None:
    """dx[n, c, h, w] = Σ of dy[n, c, i, j] / count[i, j] over the windows that see (h, w).

    Forward: y[n, c, i, j] = Σ x / count[i, j], so each dy goes to all elements of its window alike.
    """
    share = m.divide(dy, counts(dx, dy, window, stride, padding, count_include_pad))
    dx[...] = m.const(0, dy)
    for u in range(window[0]):
        for v in range(window[1]):
            out, inside = seen((u, v), dx, dy, stride, padding, (1, 1))
            dx[inside] += share[out]


def counts(x: Any, y: Any, window: Any, stride: Any, padding: Any, count_include_pad: bool) -> Any:
    """By how much each window's sum is divided, (OH, OW)."""
    both = []
    for axis in (0, 1):
        before = padding[axis]
        begin = np.arange(y.shape[2 + axis]) * stride[axis] - before
        end = np.minimum(begin + window[axis], x.shape[2 + axis] + before)
        if not count_include_pad:
            begin, end = np.maximum(begin, 0), np.minimum(end, x.shape[2 + axis])
        both.append(end - begin)
    return np.multiply.outer(both[0], both[1])  # (OH,), (OW,) -> (OH, OW)
