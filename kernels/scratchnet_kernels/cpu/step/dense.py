"""Dense layers in a step.

The backward of plain gradient descent adds into W itself: W += Σₙ (-lr·dyₙ)·xₙᵀ. The layers' way, g = Σₙ dyₙ·xₙᵀ and
W -= lr·g, rounds elsewhere.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numba import njit

from ..dense import AS_IT_IS, ONE, ZERO, _forward, input_part, parameters_part
from .columns import LARGE, STEPS
from .emit import Writer, emits
from .model import Operation
from .parts import PARTS

MODULE = "step.dense"
PARTS |= {"dense", "dense_backward"}


@emits("dense")
def forward(writer: Writer, operation: Operation) -> None:
    """y = x Wᵀ + b."""
    name = writer.names(operation, "x", "W", "b", "y")
    (N, I), O = operation["x"].shape, operation["W"].shape[0]  # noqa: E741
    b = name.get("b") or writer.absent(1)
    comment = f"y = x Wᵀ + b: ({N}, {I}) -> ({N}, {O})"
    if N == 1:
        row = writer.use("step.rows", "dense_row")
        line = f"{row}({name['x']}, {name['W']}, {b}, {name['y']}, np.int64({I}), np.int64({O}))"
        writer.line(line, comment)
        if _turns(writer, operation):
            columns = writer.use("step.columns", "dense_columns")
            turned = ", ".join(_turned(writer, operation, name["W"]))
            _either(writer, f"{columns}({name['x']}, {b}, {name['y']}, {turned})")
        return None
    given = name["x"], name["W"], b, name["y"], _rows(writer, operation)
    return writer.line(f"{writer.use(MODULE, 'dense')}({', '.join(given)})", comment)


@emits("dense_backward")
def backward(writer: Writer, operation: Operation) -> None:
    """dx = dy W; then dW = dyᵀ x and db = Σₙ dy, or W -= lr·dW and b -= lr·db at once."""
    if operation["x"].shape[0] == 1 and operation["dW"] in writer.descents:
        return _descend_row(writer, operation)
    rows = _rows(writer, operation)
    name = writer.names(operation, "W", "dy", "dx") if operation["dx"] is not None else {}
    if name:
        given = ", ".join((name["W"], name["dy"], name["dx"], rows))
        writer.line(f"{writer.use(MODULE, 'dense_dx')}({given})", "dx = dy W")
    if operation["dW"] in writer.descents:
        dy, W, b = _scaled(writer, operation), *_parameters(operation)
        role, comment = "scaled", "W += scaledᵀ x, b += Σ scaled"
    else:
        dy, W, b = operation["dy"], operation["dW"], operation["db"]
        role, comment = "dy", "dW += dyᵀ x, db += Σ dy"
    writer.body = writer.weights
    sums = writer.view(writer.take((operation["W"].shape[0],)), "sums", operation.path)
    arrays = [writer.view(view, name, operation.path) for name, view in (("x", operation["x"]), (role, dy), ("W", W))]
    arrays += [writer.view(b, "b", operation.path) if b else writer.absent(1), sums, rows]
    return writer.line(f"{writer.use(MODULE, 'dense_dW')}(t, T, {', '.join(arrays)})", comment)


def _scaled(writer: Writer, operation: Operation) -> Any:
    """-lr·dy, which is what a descent adds up."""
    scaled = writer.take(operation["dy"].shape)
    given = writer.view(operation["dy"], "dy", operation.path), _rate(writer, operation)
    call = writer.use(MODULE, "descent")
    writer.line(f"{call}({', '.join(given)}, {writer.view(scaled, 'scaled', operation.path)})", "scaled = -lr dy")
    return scaled


def _parameters(operation: Operation) -> list[Any]:
    """W and b themselves, in the places of their gradients: the two stores have one layout."""
    return [grad and replace(grad, store="parameters") for grad in (operation["dW"], operation["db"])]


def _rate(writer: Writer, operation: Operation) -> str:
    return f"np.{writer.model.dtype}(lr[s] * {writer.descents[operation['dW']]!r})"


def _descend_row(writer: Writer, operation: Operation) -> None:
    """One sample: everything at once, and rows of W without a gradient are not touched."""
    name = writer.names(operation, "x", "W", "dy", "dx")
    (_, I), O = operation["x"].shape, operation["W"].shape[0]  # noqa: E741
    b = _parameters(operation)[1]
    given = [name["x"], name["W"], writer.view(b, "b", operation.path) if b else writer.absent(1), name["dy"]]
    scratch = writer.view(writer.take((O,)), "sums", operation.path)
    given += [name.get("dx") or writer.absent(2), _rate(writer, operation), scratch]
    given += [writer.once(f"to_{O}", f"np.arange({O})")]
    comment = f"{'dx = dy W, ' if 'dx' in name else ''}W -= lr dyᵀ x, b -= lr dy"
    call = writer.use("step.rows", "descend_row")
    writer.line(f"{call}({', '.join(given)}, np.int64({I}), np.int64({O}))", comment)
    if _turns(writer, operation):
        columns = writer.use("step.columns", "descend_columns")
        turned = _turned(writer, operation, name["W"])
        _either(writer, f"{columns}({', '.join([name['x'], *given[2:6], *turned])})")


def _turns(writer: Writer, operation: Operation) -> bool:
    """Whether W is turned for the time of a call: it is large, and only this layer's backward changes it."""
    W = operation["W"]
    return W.size >= LARGE and replace(W, store="gradients") in writer.descents


def _turned(writer: Writer, operation: Operation, W: str) -> list[str]:
    """The names of W turned, of what is known of it, and of the places where x is not 0; before the steps and after."""
    (O, I), path = operation["W"].shape, operation.path.replace(".", "_")  # noqa: E741
    known, found = (
        writer.once(f"known{path}", "np.full(3, np.inf)"),
        writer.once(f"places{path}", f"np.empty({I}, np.int64)"),
    )
    if operation["W"] not in writer.turned:
        writer.turned[operation["W"]] = name = writer.view(writer.take((I, O)), "turned", operation.path)
        turn, bound = (writer.use("step.columns", function) for function in ("turn", "magnitude"))
        writer.before += [f"{turn}({W}, {name})", f"{known}[0] = {bound}({W})"]
        writer.after += [f"{turn}({name}, {W})"]
    return [writer.turned[operation["W"]], known, found]


def _either(writer: Writer, line: str) -> None:
    """`line` where W is turned, else the one that was added last."""
    other = writer.body.lines.pop()
    writer.line(f"if lr.size >= {STEPS}:")
    writer.line(f"    {line}")
    writer.line("else:")
    writer.line(f"    {other}")


def _rows(writer: Writer, operation: Operation) -> str:
    """Where the rows of the layer's matrices begin."""
    (N, I), O = operation["x"].shape, operation["W"].shape[0]  # noqa: E741
    return writer.once(f"rows_{N}_{I}_{O}", f"{writer.use(MODULE, 'rows')}({N}, {I}, {O})")


@njit(cache=True)
def rows(N: Any, I: Any, O: Any) -> Any:  # noqa: E741
    """The first elements of the rows of dy (N, O), x (N, I), dyᵀ and W (O, I), one table behind the other."""
    return np.concatenate((np.arange(N) * O, np.arange(N) * I, np.arange(O) * 1, np.arange(O) * I))


@njit(cache=True)
def dense(x: Any, W: Any, b: Any, y: Any, rows: Any) -> None:
    """y = x Wᵀ + b."""
    (N, I), O = x.shape, W.shape[0]  # noqa: E741
    _forward(ZERO, ONE, x.reshape(-1), W.reshape(-1), b, y.reshape(-1), rows[-O:], N, I, O, AS_IT_IS)


@njit(cache=True)
def dense_dx(W: Any, dy: Any, dx: Any, rows: Any) -> None:
    """dx = dy W."""
    (N, O), I = dy.shape, W.shape[1]  # noqa: E741
    input_part(ZERO, ONE, W.reshape(-1), dy.reshape(-1), dx.reshape(-1), rows[-2 * O : -O], rows[-O:], N, I, O)


@njit(cache=True)
def dense_dW(t: Any, T: Any, x: Any, dy: Any, dW: Any, db: Any, scratch: Any, rows: Any) -> None:
    """Thread t's part of dW += dyᵀ x, db += Σₙ dy."""
    (N, I), O = x.shape, dy.shape[1]  # noqa: E741
    flat_x, flat_dy, flat_dW = x.reshape(-1), dy.reshape(-1), dW.reshape(-1)
    parameters_part(t, T, flat_x, flat_dy, flat_dW, db, scratch, rows[:N], rows[N : 2 * N], N, I, O)


@njit(cache=True)
def descent(dy: Any, lr: Any, scaled: Any) -> None:
    """scaled = -lr·dy."""
    dy, scaled = dy.reshape(-1), scaled.reshape(-1)
    for i in range(dy.size):
        scaled[i] = -lr * dy[i]
