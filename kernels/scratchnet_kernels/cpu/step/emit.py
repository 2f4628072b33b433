"""Writing a training step down: each op's emitter adds a line or two to the bodies of a few functions.

A step falls into three parts. `samples` is what a sample does for itself, gathering, forward, loss and the way back to
its own activations; threads share the samples. `weights` adds up what all samples want of the weights; threads share
the weights. `update` is the optimizer's pass over the parameters. Where a step is too small for more than one thread,
or one of its ops has no such parts, all of it is written into one body, `run`.

The lines call the same compiled cores as the layers do, so that what a step computes is the same to the bit, or to
rounding where an emitter says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from ...workspace import ALIGNMENT
from .descent import descents
from .model import Model, NotEmittedError, Operation, View
from .parts import in_parts

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


def emitter_of(op: str, where: str) -> Emitter:
    """Who writes the op's call down. Raises NotEmittedError, which says where, if nobody does."""
    if op not in EMITTERS:
        raise NotEmittedError(f"the op {op} cannot be compiled into a step yet", where=where)
    return EMITTERS[op]


class Body:
    """A function as it grows: definitions at its head, by store, and lines."""

    def __init__(self, slots: tuple[str, ...]) -> None:
        self.setup: dict[str, list[str]] = defaultdict(list)
        self.lines: list[str] = []
        self.views: dict[View, str] = {}
        self.taken: set[str] = set(slots)


class Writer:
    """The module as it grows.

    Attributes:
        model: what is being written down.
        value: the expression for the sum of the losses of some samples. The loss's emitter sets it.
        total: the expression for what the sum is divided by.
        hits: the expression for the number of right answers among them, if there is such a thing.
        descents: the parameters that their backward changes at once, without a stored gradient.
        parts: whether samples and weights are shared among threads.
        run, samples, weights, update: the bodies; all the same one unless there are parts.
        body: the one that lines are added to.
        turned: the names of the parameters that are turned for the time of a call with many steps.
        before, after: what is done ahead of so many steps, and behind them.
        constants: definitions ahead of the first step, by name; every function knows them.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.value, self.total, self.hits = "0.0", "1.0", "0"
        self.descents = descents(model)
        self.parts = in_parts(model)
        self.imports: dict[str, set[str]] = defaultdict(set)
        self.constants: dict[str, str] = {}
        self.turned: dict[View, str] = {}
        self.before: list[str] = []
        self.after: list[str] = []
        self.memory = model.memory
        self.run = Body(model.slots)
        self.samples = Body(model.slots) if self.parts else self.run
        self.weights = Body(model.slots) if self.parts else self.run
        self.update = Body(model.slots) if self.parts else self.run
        self.body = self.run

    def use(self, module: str, function: str, alias: str = "") -> str:
        """Import a compiled function of the cpu backend; return the name that it has in the module."""
        name = alias or function
        self.imports[f"scratchnet_kernels.cpu.{module}"].add(f"{function} as {name}" if name != function else name)
        return name

    def view(self, view: View, role: str, path: str) -> str:
        """The name of an array. It is given at first sight: parameters their own, others by role and layer."""
        if view not in self.body.views:
            owner = self.model.names.get((view.store, view.start))
            if owner is not None:
                path, _, role = owner.rpartition(".")
                role = f"d{role}" if view.store == "gradients" else role
            self.body.views[view] = self._define(role + path.replace(".", "_"), view)
        return self.body.views[view]

    def names(self, operation: Operation, *roles: str) -> dict[str, str]:
        """The names of an operation's arrays, by argument; those that are None are left out."""
        views = operation.views
        return {role: self.view(views[role], role, operation.path) for role in roles if role in views}

    def _define(self, wanted: str, view: View) -> str:
        """A name for a stretch of a store, defined at the head of the body; among `samples`, for their part of it."""
        name = wanted
        while name in self.body.taken or name in RESERVED:
            name += "_"
        self.body.taken.add(name)
        source, shape = f"{view.store}[{view.start}:{view.stop}]", list(map(str, view.shape))
        if self.body is self.samples and self.parts and view.store in ("memory", "labels"):
            row = view.size // view.shape[0]
            start, stop = (f"{row} * {n}" if row != 1 else n for n in ("n0", "n1"))
            if view.start:
                start, stop = f"{view.start} + {start}", f"{view.start} + {stop}"
            source, shape[0] = f"{view.store}[{start}{' : ' if row != 1 or view.start else ':'}{stop}]", "n1 - n0"
        if len(shape) != 1:
            source += f".reshape({', '.join(shape)})"
        self.body.setup[view.store].append(f"{name} = {source}")
        return name

    def once(self, name: str, source: str) -> str:
        """A name for `source`, defined ahead of the first step, once. Raises NotEmittedError if it names another."""
        if self.constants.setdefault(name, source) != source:
            raise NotEmittedError(f"{name} would be two things", expected=self.constants[name], actual=source)
        return name

    def take(self, shape: tuple[int, ...]) -> View:
        """Private memory of an op."""
        view = View("memory", self.memory, shape)
        self.memory = _aligned(view.stop, self.model.dtype)
        return view

    def absent(self, axes: int) -> str:
        """An empty array: stands for one that is None."""
        shape = "0" if axes == 1 else f"({', '.join('0' * axes)})"
        return self.once(f"no_{('', 'vector', 'matrix')[axes]}", f"np.empty({shape}, np.{self.model.dtype})")

    def number(self, value: Any) -> str:
        """A number as an expression whose type does not depend on its value (Numba compiles anew for a literal)."""
        if isinstance(value, bool):
            return f"np.bool_({value})"
        return f"np.int64({value})" if isinstance(value, int) else f"np.{self.model.dtype}({float(value)!r})"

    def line(self, text: str, comment: str = "") -> None:
        """Add a line to the body, under a comment."""
        if comment:
            self.body.lines.append(f"# {comment}")
        self.body.lines.append(text)

    def write(self, title: str, body: Body, operations: tuple[Operation, ...]) -> None:
        """Let each operation's emitter add its lines. Raises NotEmittedError where one has none."""
        headed: set[int] = set()
        for operation in operations:
            where = f"layer {operation.path}, {operation.layer}" if operation.path else operation.layer
            emitter = emitter_of(operation.op, where)
            bodies = {id(b): b for b in (self.samples, self.weights, self.update)}
            before = {key: len(b.lines) for key, b in bodies.items()}
            self.body = body
            emitter(self, operation)
            for key, b in bodies.items():
                if len(b.lines) > before[key]:
                    head = [] if key in headed else ["", f"# {title}"]
                    headed.add(key)
                    b.lines[before[key] : before[key]] = head + (
                        [f"# {operation.path}: {operation.layer}"] if operation.path else []
                    )


RESERVED = {
    *("images", "targets", "order", "scale", "shift", "lr", "begun", "threads", "losses", "hits", "s", "n", "index"),
    *(
        "parameters",
        "gradients",
        "memory",
        "labels",
        "run",
        "np",
        "njit",
        "prange",
        "share",
        "value",
        "total",
        "t",
        "T",
    ),
    *("samples", "weights", "update", "values", "rights", "n0", "n1", "start", "stop", "data", "stores", "constants"),
    *("SAMPLES", "WEIGHTS", "UPDATE", "on_threads", "part"),
}


def _aligned(elements: int, dtype: str) -> int:
    """The next element that lies on a cache line."""
    step = ALIGNMENT // (4 if dtype == "float32" else 8)
    return elements + (-elements % step)
