"""Dense layers in a step.

The backward of plain gradient descent adds into W itself: W += Σₙ (-lr·dyₙ)·xₙᵀ. The layers' way, g = Σₙ dyₙ·xₙᵀ and
W -= lr·g, rounds elsewhere.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numba import njit, prange

from ..dense import (
    ONE,
    ZERO,
    _backward,
    _backward_parallel,
    _forward,
    _forward_parallel,
    input_part,
    parameters_part,
)
from .emit import Writer, emits
from .model import Operation

MODULE = "step.dense"


@emits("dense")
def forward(writer: Writer, operation: Operation) -> None:
    """y = x Wᵀ + b."""
    name = writer.names(operation, "x", "W", "b", "y")
    (N, I), O = operation["x"].shape, operation["W"].shape[0]  # noqa: E741
    b = name.get("b") or writer.absent(1)
    comment = f"y = x Wᵀ + b: ({N}, {I}) -> ({N}, {O})"
    if N == 1:
        row = writer.use("step.rows", "dense_row")
        return writer.line(f"{row}({name['x']}, {name['W']}, {b}, {name['y']}, np.int64({I}), np.int64({O}))", comment)
    rows = _rows(writer, operation)
    threads = writer.threads(2 * N * I * O)
    call = writer.use(MODULE, "dense_parallel" if threads else "dense")
    given = [threads] if threads else []
    return writer.line(f"{call}({', '.join([*given, name['x'], name['W'], b, name['y'], rows])})", comment)


@emits("dense_backward")
def backward(writer: Writer, operation: Operation) -> None:
    """dW = dyᵀ x, db = Σₙ dy, dx = dy W; or W -= lr·dW and b -= lr·db at once."""
    name = writer.names(operation, "x", "W", "dy", "dx")
    (N, I), O = operation["x"].shape, operation["W"].shape[0]  # noqa: E741
    dx = name.get("dx") or writer.absent(2)
    path = operation.path.replace(".", "_")
    rows, scratch = _rows(writer, operation), writer.take((O,), f"sums{path}")
    given = [name["x"], name["W"], name["dy"]]
    input_too = "dx = dy W, " if "dx" in name else ""
    if operation["dW"] not in writer.descents:
        name |= writer.names(operation, "dW", "db")
        threads = writer.threads((4 if input_too else 2) * N * I * O)
        call = writer.use(MODULE, "dense_backward_parallel" if threads else "dense_backward")
        given += [name["dW"], name.get("db") or writer.absent(1), dx, scratch, rows]
        given = [threads, *given] if threads else given
        return writer.line(f"{call}({', '.join(given)})", f"{input_too}dW += dyᵀ x, db += Σ dy")
    b = writer.absent(1)
    if operation["db"] is not None:
        b = writer.view(replace(operation["db"], store="parameters"), "b", operation.path)  # one layout
    rate = f"np.{writer.model.dtype}(lr[s] * {writer.descents[operation['dW']]!r})"
    given = [name["x"], name["W"], b, name["dy"], dx, rate]
    comment = f"{input_too}W -= lr dyᵀ x, b -= lr Σ dy"
    if N == 1:
        call = writer.use("step.rows", "descend_row")
        given += [scratch, rows, f"np.int64({I})", f"np.int64({O})"]
        return writer.line(f"{call}({', '.join(given)})", comment)
    given += [writer.take((N, O), f"scaled{path}"), scratch, rows]
    threads = writer.threads(2 * N * I * O)
    call = writer.use(MODULE, "descend_parallel" if threads else "descend")
    return writer.line(f"{call}({', '.join([threads, *given] if threads else given)})", comment)


def _rows(writer: Writer, operation: Operation) -> str:
    """Where the rows of the layer's matrices begin."""
    (N, I), O = operation["x"].shape, operation["W"].shape[0]  # noqa: E741
    return writer.once(f"rows{operation.path.replace('.', '_')}", f"{writer.use(MODULE, 'rows')}({N}, {I}, {O})")


@njit(cache=True)
def rows(N: Any, I: Any, O: Any) -> Any:  # noqa: E741
    """The first elements of the rows of dy (N, O), x (N, I), dyᵀ and W (O, I)."""
    return np.arange(N) * O, np.arange(N) * I, np.arange(O) * 1, np.arange(O) * I


@njit(cache=True)
def dense(x: Any, W: Any, b: Any, y: Any, rows: Any) -> None:
    """One thread's y = x Wᵀ + b."""
    (N, I), O = x.shape, W.shape[0]  # noqa: E741
    _forward(ZERO, ONE, x.reshape(-1), W.reshape(-1), b, y.reshape(-1), rows[3], N, I, O)


@njit(cache=True)
def dense_parallel(T: Any, x: Any, W: Any, b: Any, y: Any, rows: Any) -> None:
    """y = x Wᵀ + b on T threads."""
    if T == 1:
        dense(x, W, b, y, rows)
    else:
        (N, I), O = x.shape, W.shape[0]  # noqa: E741
        _forward_parallel(T, x.reshape(-1), W.reshape(-1), b, y.reshape(-1), rows[3], N, I, O)


@njit(cache=True)
def dense_backward(x: Any, W: Any, dy: Any, dW: Any, db: Any, dx: Any, scratch: Any, rows: Any) -> None:
    """One thread's dW += dyᵀ x, db += Σₙ dy, dx = dy W."""
    (N, I), O = x.shape, W.shape[0]  # noqa: E741
    _backward(ZERO, ONE, x.reshape(-1), W.reshape(-1), dy.reshape(-1), dW.reshape(-1), db, dx.reshape(-1), scratch,
              rows[0], rows[1], rows[2], rows[3], N, I, O)  # fmt: skip


@njit(cache=True)
def dense_backward_parallel(
    T: Any, x: Any, W: Any, dy: Any, dW: Any, db: Any, dx: Any, scratch: Any, rows: Any
) -> None:
    """The same on T threads."""
    if T == 1:
        dense_backward(x, W, dy, dW, db, dx, scratch, rows)
    else:
        (N, I), O = x.shape, W.shape[0]  # noqa: E741
        _backward_parallel(T, x.reshape(-1), W.reshape(-1), dy.reshape(-1), dW.reshape(-1), db, dx.reshape(-1),
                           scratch, rows[0], rows[1], rows[2], rows[3], N, I, O)  # fmt: skip


@njit(cache=True)
def _part(t: Any, T: Any, x: Any, W: Any, b: Any, dy: Any, dx: Any, scratch: Any, rows: Any) -> None:
    """Thread t's part of dx where there is one, else of W and b: they must not change while others compute dx."""
    (N, I), O = x.shape, W.shape[0]  # noqa: E741
    if dx.size > 0:
        input_part(t, T, W.reshape(-1), dy.reshape(-1), dx.reshape(-1), rows[2], rows[3], N, I, O)
    else:
        parameters_part(t, T, x.reshape(-1), dy.reshape(-1), W.reshape(-1), b, scratch, rows[0], rows[1], N, I, O)


@njit(cache=True, parallel=True)
def _part_parallel(T: Any, x: Any, W: Any, b: Any, dy: Any, dx: Any, scratch: Any, rows: Any) -> None:
    for t in prange(T):
        _part(np.int64(t), T, x, W, b, dy, dx, scratch, rows)


@njit(cache=True)
def _scale(dy: Any, lr: Any, scaled: Any) -> None:
    for i in range(dy.size):
        scaled[i] = -lr * dy[i]


@njit(cache=True)
def descend(x: Any, W: Any, b: Any, dy: Any, dx: Any, lr: Any, scaled: Any, scratch: Any, rows: Any) -> None:
    """One thread's dx = dy W, then W -= lr·dyᵀ x and b -= lr·Σₙ dy."""
    if dx.size > 0:
        _part(ZERO, ONE, x, W, b, dy, dx, scratch, rows)
    _scale(dy.reshape(-1), lr, scaled.reshape(-1))
    _part(ZERO, ONE, x, W, b, scaled, dx[:0], scratch, rows)


@njit(cache=True)
def descend_parallel(
    T: Any, x: Any, W: Any, b: Any, dy: Any, dx: Any, lr: Any, scaled: Any, scratch: Any, rows: Any
) -> None:
    """The same on T threads."""
    if T == 1:
        descend(x, W, b, dy, dx, lr, scaled, scratch, rows)
    else:
        if dx.size > 0:
            _part_parallel(T, x, W, b, dy, dx, scratch, rows)
        _scale(dy.reshape(-1), lr, scaled.reshape(-1))
        _part_parallel(T, x, W, b, scaled, dx[:0], scratch, rows)
