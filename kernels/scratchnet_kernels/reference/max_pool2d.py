"""Max pooling: the largest element of each window, and where it lay."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import Extents, op
from . import _math as m
from ._window import begin_inside, seen


def _dims(d: Extents, given: dict[str, Any]) -> Extents:
    return begin_inside(d, given["window"], given["stride"], given["padding"])


@op(x="N C H W", y="N C OH OW", at="N C OH OW:int", out=("y", "at"), dims=_dims)
def max_pool2d(x: Any, y: Any, at: Any, window: Any, stride: Any, padding: Any, dilation: Any) -> None:
    """y[n, c, i, j] = max of x over the elements of the window at (i, j) that lie inside the image.

    at[n, c, i, j] = u·kw + v, the place in the window of the element that won: the first of several largest, row by
    row. NaN wins against numbers, and of several NaN the last wins (PyTorch's rules). Padding never wins.
    """
    unseen = np.ones(y.shape, bool)
    for u in range(window[0]):
        for v in range(window[1]):
            out, inside = seen((u, v), x, y, stride, padding, dilation)
            candidate, largest = x[inside], y[out]
            wins = unseen[out] | m.greater(candidate, largest) | m.is_nan(candidate)
            y[out] = m.where(wins, candidate, largest)
            at[out] = m.where(wins, u * window[1] + v, at[out])
            unseen[out] = False


@op(at="N C OH OW:int", dy="N C OH OW", dx="N C H W", out=("dx",), dims=_dims)
def max_pool2d_backward(at: Any, dy: Any, dx: Any, window: Any, stride: Any, padding: Any, dilation: Any) -> None:
    """dx[n, c, h, w] = Σ dy over the windows that x[n, c, h, w] won.

    Forward: y[n, c, i, j] = x[n, c, h(u), w(v)] with (u, v) = divmod(at[n, c, i, j], kw), a selection, so each dy
    goes to the one element that was selected; windows that overlap may select the same.
    """
    dx[...] = m.const(0, dy)
    for u in range(window[0]):
        for v in range(window[1]):
            out, inside = seen((u, v), dx, dy, stride, padding, dilation)
            dx[inside] += m.where(at[out] == u * window[1] + v, dy[out], m.const(0, dy))
