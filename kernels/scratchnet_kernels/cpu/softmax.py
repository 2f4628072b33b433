"""Softmax and its logarithm: vectors run along the sum where it lies in one piece, else along what lies behind it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from ..backend import kernel
from ..reference import softmax as reference
from ..workspace import Workspace
from ._elementary import CONTRACT, exp
from ._flat import flat, is_fast, put_back
from ._peak import peak


@kernel("cpu")
def softmax(x: Any, y: Any, *, workspace: Workspace) -> None:
    """y = e^x / Σ_c e^x."""
    if not is_fast(x):
        return reference.softmax(x, y)
    _run(False, _forward_rows, _forward_columns, (x,), y, workspace)


@kernel("cpu")
def log_softmax(x: Any, y: Any, *, workspace: Workspace) -> None:
    """y = x - ln Σ_c e^x."""
    if not is_fast(x):
        return reference.log_softmax(x, y)
    _run(True, _forward_rows, _forward_columns, (x,), y, workspace)


@kernel("cpu")
def softmax_backward(y: Any, dy: Any, dx: Any, *, workspace: Workspace) -> None:
    """dx = y·(dy - Σ_c dy·y)."""
    if not is_fast(y):
        return reference.softmax_backward(y, dy, dx)
    _run(False, _backward_rows, _backward_columns, (y, dy), dx, workspace)


@kernel("cpu")
def log_softmax_backward(y: Any, dy: Any, dx: Any, *, workspace: Workspace) -> None:
    """dx = dy - e^y·Σ_c dy."""
    if not is_fast(y):
        return reference.log_softmax_backward(y, dy, dx)
    _run(True, _backward_rows, _backward_columns, (y, dy), dx, workspace)


def _run(log: bool, rows: Any, columns: Any, inputs: tuple[Any, ...], out: Any, workspace: Workspace) -> None:
    A, C, B = out.shape
    target = flat(out, workspace)
    arrays = [*[flat(array, workspace) for array in inputs], target]
    if B == 1:
        rows(*[array.reshape(A, C) for array in arrays], log)
    else:
        scratch = workspace.take((B,), out.dtype), workspace.take((B,), np.float64)
        columns(*[array.reshape(A, C, B) for array in arrays], *scratch, log)
    put_back(target, out)


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _forward_rows(x: Any, y: Any, log: bool) -> None:
    for a in range(x.shape[0]):
        row, out = x[a], y[a]
        top = peak(row, 0, row.size)
        for c in range(row.size):
            out[c] = exp(row[c] - top)
        s = x.dtype.type(_total(out))
        if log:
            s = x.dtype.type(math.log(s))
            for c in range(row.size):
                out[c] = row[c] - top - s
        else:
            for c in range(row.size):
                out[c] = out[c] / s


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _forward_columns(x: Any, y: Any, top: Any, s: Any, log: bool) -> None:
    for a in range(x.shape[0]):
        top[:] = x[a, 0]
        for c in range(1, x.shape[1]):
            row = x[a, c]
            for b in range(row.size):
                top[b] = row[b] if row[b] > top[b] else top[b]
        s[:] = 0
        for c in range(x.shape[1]):
            row, out = x[a, c], y[a, c]
            for b in range(row.size):
                out[b] = exp(row[b] - top[b])
            for b in range(row.size):
                s[b] += out[b]
        if log:
            for b in range(s.size):
                s[b] = math.log(s[b])
        for c in range(x.shape[1]):
            row, out = x[a, c], y[a, c]
            if log:
                for b in range(row.size):
                    out[b] = row[b] - top[b] - x.dtype.type(s[b])
            else:
                for b in range(row.size):
                    out[b] = out[b] / x.dtype.type(s[b])


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _backward_rows(y: Any, dy: Any, dx: Any, log: bool) -> None:
    for a in range(y.shape[0]):
        row, given, out = y[a], dy[a], dx[a]
        if log:  # forward: y = x - ln Σ e^x, so dx = dy - e^y·Σ dy
            s = y.dtype.type(_total(given))
            for c in range(row.size):
                out[c] = given[c] - exp(row[c]) * s
        else:  # forward: y = e^x / Σ e^x, so dx = y·(dy - Σ dy·y)
            s = y.dtype.type(_dot(given, row))
            for c in range(row.size):
                out[c] = row[c] * (given[c] - s)


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _backward_columns(y: Any, dy: Any, dx: Any, unused: Any, s: Any, log: bool) -> None:
    one = y.dtype.type(1)
    for a in range(y.shape[0]):
        s[:] = 0
        for c in range(y.shape[1]):
            row, given = y[a, c], dy[a, c]
            for b in range(row.size):
                s[b] += given[b] * (one if log else row[b])
        for c in range(y.shape[1]):
            row, given, out = y[a, c], dy[a, c], dx[a, c]
            if log:
                for b in range(row.size):
                    out[b] = given[b] - exp(row[b]) * y.dtype.type(s[b])
            else:
                for b in range(row.size):
                    out[b] = row[b] * (given[b] - y.dtype.type(s[b]))


@njit(cache=True, fastmath={"reassoc", "contract"})
def _total(x: Any) -> float:
    """Σ x in float64."""
    s = 0.0
    for i in range(x.size):
        s += x[i]
    return s


@njit(cache=True, fastmath={"reassoc", "contract"})
def _dot(x: Any, y: Any) -> float:
    """Σ x·y in float64."""
    s = 0.0
    for i in range(x.size):
        s += np.float64(x[i]) * np.float64(y[i])
    return s
