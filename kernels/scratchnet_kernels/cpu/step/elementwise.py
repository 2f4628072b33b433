"""Activations in a step: one core a direction, over flat arrays."""

from __future__ import annotations

from .emit import Writer, emits
from .model import Operation, View
from .parts import PARTS

CORES = {  # by op: the file of its kernel, and what its cores are called there
    "relu": ("_passes", "_relu"),
    "leaky_relu": ("leaky_relu", ""),
    "elu": ("elu", ""),
    "tanh": ("tanh", ""),
    "sigmoid": ("sigmoid", ""),
    "silu": ("silu", ""),
    "gelu": ("gelu", ""),
    "gelu_tanh": ("gelu", "_tanh"),
    "softplus": ("softplus", ""),
    "square": ("square", ""),
}
ALL = {op + direction: (op, direction) for op in CORES for direction in ("", "_backward")}
PARTS |= set(ALL)


@emits(*ALL)
def elementwise(writer: Writer, operation: Operation) -> None:
    """Call a core: the arrays flat and in the op's order, its settings behind them."""
    op, direction = ALL[operation.op]
    if direction and "dx" not in operation.views:
        return
    module, ending = CORES[op]
    core = writer.use(module, f"{direction or '_forward'}{ending}", operation.op)
    arrays = [_flat(writer, operation, role) for role in operation.views]
    settings = [writer.number(float(value)) for value in operation.args if not isinstance(value, View)]
    writer.line(f"{core}({', '.join(arrays + settings)})")


def _flat(writer: Writer, operation: Operation, role: str) -> str:
    view = operation[role]
    return writer.view(view, role, operation.path) + (".reshape(-1)" if len(view.shape) != 1 else "")
