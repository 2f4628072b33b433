"""Writing a training step down: each op's emitter adds a line or two, and `emit` puts them into a module.

The module has one function, `run`, which makes as many steps as it is given learning rates. It calls the same
compiled cores as the layers do, so that what it computes is the same to the bit, or to rounding where an emitter says
so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from ...workspace import ALIGNMENT
from .._threads import WORK
from .descent import descents
from .model import Model, NotEmittedError, Operation, View

Emitter = Callable[["Writer", Operation], None]

EMITTERS: dict[str, Emitter] = {}
"""By op: who writes its call down. Filled as the files of this folder are imported."""


def emits(*ops: str) -> Callable[[Emitter], Emitter]:
    """Enter an emitter for these ops."""

    def enter(emitter: Emitter) -> Emitter:
        for op in ops:
            EMITTERS[op] = emitter
        return emitter

    return enter


class Writer:
    """The module as it grows.

    Attributes:
        model: what is being written down.
        value: the expression for the loss of a step. The loss's emitter sets it.
        hits: the expression for the number of right answers in a step, if there is such a thing.
        descents: the parameters that their backward changes at once, without a stored gradient.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.value = "0.0"
        self.hits = "0"
        self.descents = descents(model)
        self.imports: dict[str, set[str]] = defaultdict(set)
        self.setup: dict[str, list[str]] = defaultdict(list)  # definitions ahead of the loop, by store
        self.body: list[str] = []
        self.memory = model.memory
        self._views: dict[View, str] = {}
        self._taken: set[str] = set(model.slots)

    def use(self, module: str, function: str, alias: str = "") -> str:
        """Import a compiled function of the cpu backend; return the name that it has in the module."""
        name = alias or function
        self.imports[f"scratchnet_kernels.cpu.{module}"].add(f"{function} as {name}" if name != function else name)
        return name

    def view(self, view: View, role: str, path: str) -> str:
        """The name of an array. It is given at first sight: parameters their own, others by role and layer."""
        if view not in self._views:
            owner = self.model.names.get((view.store, view.start))
            if owner is not None:
                path, _, role = owner.rpartition(".")
                role = f"d{role}" if view.store == "gradients" else role
            self._views[view] = self._define(role + path.replace(".", "_"), view)
        return self._views[view]

    def names(self, operation: Operation, *roles: str) -> dict[str, str]:
        """The names of an operation's arrays, by argument; those that are None are left out."""
        views = operation.views
        return {role: self.view(views[role], role, operation.path) for role in roles if role in views}

    def _define(self, wanted: str, view: View) -> str:
        """A name for a stretch of a store, defined ahead of the loop."""
        name = wanted
        while name in self._taken or name in RESERVED:
            name += "_"
        self._taken.add(name)
        source = f"{view.store}[{view.start}:{view.stop}]"
        if len(view.shape) != 1:
            source += f".reshape({', '.join(map(str, view.shape))})"
        self.setup[view.store].append(f"{name} = {source}")
        return name

    def once(self, name: str, source: str) -> str:
        """A name for `source`, defined ahead of the loop, once."""
        line = f"{name} = {source}"
        if line not in self.setup["constants"]:
            self._taken.add(name)
            self.setup["constants"].append(line)
        return name

    def take(self, shape: tuple[int, ...], wanted: str) -> str:
        """Private memory of an op."""
        view = View("memory", self.memory, shape)
        self.memory = _aligned(view.stop, self.model.dtype)
        return self._define(wanted, view)

    def absent(self, axes: int) -> str:
        """An empty array: stands for one that is None."""
        shape = "0" if axes == 1 else f"({', '.join('0' * axes)})"
        return self.once(f"no_{('', 'vector', 'matrix')[axes]}", f"np.empty({shape}, np.{self.model.dtype})")

    def threads(self, flops: int) -> str:
        """How many threads work of that size is worth, as an expression; empty for one."""
        return f"min(threads, {flops // WORK})" if flops >= 2 * WORK else ""

    def number(self, value: Any) -> str:
        """A number as an expression whose type does not depend on its value (Numba compiles anew for a literal)."""
        if isinstance(value, bool):
            return f"np.bool_({value})"
        return f"np.int64({value})" if isinstance(value, int) else f"np.{self.model.dtype}({float(value)!r})"

    def line(self, text: str, comment: str = "") -> None:
        """Add a line to a step, under a comment."""
        if comment:
            self.body.append(f"# {comment}")
        self.body.append(text)


RESERVED = {
    *("images", "targets", "order", "scale", "shift", "lr", "begun", "threads", "losses", "hits", "s", "n", "index"),
    *("parameters", "gradients", "memory", "labels", "run", "np", "njit", "value", "total"),
}


def _aligned(elements: int, dtype: str) -> int:
    """The next element that lies on a cache line."""
    step = ALIGNMENT // (4 if dtype == "float32" else 8)
    return elements + (-elements % step)


def write(writer: Writer, operations: tuple[Operation, ...]) -> None:
    """Let each operation's emitter add its lines. Raises NotEmittedError where one has none."""
    for operation in operations:
        emitter = EMITTERS.get(operation.op)
        if emitter is None:
            where = f"layer {operation.path}, {operation.layer}" if operation.path else operation.layer
            raise NotEmittedError(f"the op {operation.op} cannot be compiled into a step yet", where=where)
        before = len(writer.body)
        emitter(writer, operation)
        if operation.path and len(writer.body) > before:
            writer.body.insert(before, f"# {operation.path}: {operation.layer}")
