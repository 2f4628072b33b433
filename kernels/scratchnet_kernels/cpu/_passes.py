"""Passes over arrays that wait for memory: ReLU, its backward, a sum. Two threads wait half as long.

One parallel kernel for all of them, because compiling one takes a second.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from ..workspace import Workspace
from ._flat import flat, put_back
from ._threads import share, threads_of_pass

RELU, RELU_BACKWARD, ADD = np.int64(0), np.int64(1), np.int64(2)
LINE = 16  # threads meet at multiples of so many elements


def run_pass(kind: Any, a: Any, b: Any, y: Any, workspace: Workspace) -> None:
    """y = relu(a), b where a > 0, or a + b. Where b is not needed it is a once more."""
    out, given = flat(y, workspace), flat(a, workspace)
    other = given if b is a else flat(b, workspace)
    T = threads_of_pass(out.size)
    if T == 1:
        _pass(0, 1, kind, given, other, out)
    else:
        _pass_parallel(T, kind, given, other, out)
    put_back(out, y)


@njit(cache=True, error_model="numpy")
def _pass(t: Any, T: int, kind: int, a: Any, b: Any, y: Any) -> None:
    """Thread t's part."""
    start, stop = share(t, T, y.size, LINE)
    a, b, y = a[start:stop], b[start:stop], y[start:stop]
    if kind == RELU:
        _forward_relu(a, y)
    elif kind == RELU_BACKWARD:
        _backward_relu(a, b, y)
    else:
        for i in range(y.size):
            y[i] = a[i] + b[i]


@njit(cache=True, error_model="numpy")
def _forward_relu(x: Any, y: Any) -> None:
    zero = x.dtype.type(0)  # the literal 0 is wider than a float32
    for i in range(x.size):
        y[i] = zero if x[i] <= 0 else x[i]


@njit(cache=True, error_model="numpy")
def _backward_relu(y: Any, dy: Any, dx: Any) -> None:
    zero = y.dtype.type(0)
    for i in range(y.size):
        dx[i] = dy[i] if y[i] > 0 else zero


@njit(cache=True, parallel=True)
def _pass_parallel(T: int, kind: int, a: Any, b: Any, y: Any) -> None:
    for t in prange(T):
        _pass(np.int64(t), T, kind, a, b, y)
