"""The lines of a forward or a backward: one call a node."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from scratchnet_kernels import OPS

from ..errors import ExportError
from ..graph import Graph, Node, Value, View
from .functions import FUNCTIONS
from .lines import statement
from .names import Names
from .views import Extents, place, shown, undone

SIZES: Mapping[str, Callable[[View], str]] = {
    "_size": lambda view: str(tuple(int(extent) for extent in view.shape[2:])),
    "_rows": lambda view: str(int(view.shape[0])),
}
"""What a function is told of the shape of its result: `y_size` is the last two extents of y."""


class Body:
    """The lines of a function, as they are written.

    Args:
        graph: whose values the lines are about.
        names: the identifiers.
        known: how the values that are there already are written: inputs, parameters, what was saved.
        samples: how the number of samples is written.
        stored: the identifiers of parameters by their names in the network, after which gradients are called.
    """

    def __init__(
        self, graph: Graph, names: Names, known: Mapping[str, str], samples: str, stored: Mapping[str, str]
    ) -> None:
        self.graph = graph
        self.names = names
        self.texts = dict(known)
        self.extents = Extents(samples)
        self.stored = stored
        self.lines: list[str] = []
        self.used: list[str] = []  # names of functions, in order of first use
        self.forward = {id(node): str(number) for number, node in enumerate(graph.nodes, 1)}
        self.called: dict[tuple[str, str], list[Node]] = {}  # the forward's nodes by path and op
        for node in graph.nodes:
            self.called.setdefault((node.path, node.op), []).append(node)

    def add(self, nodes: tuple[Node, ...]) -> None:
        """Write the nodes."""
        for node in nodes:
            if node.op in INLINE:
                text = INLINE[node.op](self, node)
                self._assign(node, "y", text)
            else:
                self._call(node)

    @property
    def gradients(self) -> dict[str, str]:
        """How the gradients of parameters are written, by the parameters' names in the network."""
        return {name.removeprefix("d "): text for name, text in self.texts.items() if name.startswith("d ")}

    def view(self, view: View, argument: str = "") -> str:
        """A view in Python; what takes several steps gets a line and a name of its own."""
        text = shown(view, self.texts[view.of], self.graph.values[view.of].shape, self.extents)
        if ".transpose(" in text and argument:
            name = self.names.new(f"{argument}{view.of.removeprefix('h')}")
            self.lines.append(f"    {name} = {text}")
            return name
        return text

    def _call(self, node: Node) -> None:
        function = FUNCTIONS.get(node.op)
        if function is None:
            hint = f"a function {node.op} in export/python_source/functions/ is one; a checkpoint keeps any layer"
            raise ExportError(f"the op {node.op} has no Python form", where=f"layer {node.path}", hint=hint)
        self.used.append(node.op)
        writes = OPS[node.op].writes
        results = {**node.out, **node.adds}
        targets = [self._target(node, name) if name in results else "_" for name in writes]
        arguments = self._arguments(node, inspect.signature(function).parameters)
        if len(writes) > 1 and targets[1:] == ["_"] * (len(writes) - 1):
            self.lines += statement(f"{targets[0]} = {node.op}(", arguments, ")[0]")
        else:
            self.lines += statement(f"{', '.join(targets)} = {node.op}(", arguments, ")")
        for name, target in zip(writes, targets, strict=True):
            if name in results:
                self._settle(results[name], target, adds=name in node.adds)

    def _arguments(self, node: Node, parameters: Mapping[str, Any]) -> list[str]:
        written = {**node.out, **node.adds, **node.unread}
        found, by_name = [], False
        left = {name for name, value in node.given.items() if value is not None}
        for name, parameter in parameters.items():
            left.discard(name)
            base, ending = name[:-5], name[-5:]
            if name in node.given:
                value = node.given[name]
                text = self.view(value, name) if isinstance(value, View) else _setting(value)
                default = parameter.default is not parameter.empty and parameter.default == value
                if not isinstance(value, View) and default:
                    by_name = True
                    continue
            elif ending in SIZES and base in written:
                text = SIZES[ending](written[base])
            elif parameter.default is not parameter.empty:
                continue
            else:
                raise ExportError(f"the Python form of {node.op} needs {name}", where=f"layer {node.path}")
            setting = not isinstance(node.given.get(name), View) and text != "None" and ending not in SIZES
            found.append(f"{name}={text}" if by_name or setting else text)
            by_name = by_name or setting
        if left:
            raise ExportError(
                f"the Python form of {node.op} has no {', '.join(sorted(left))}", where=f"layer {node.path}"
            )
        return found

    def _target(self, node: Node, argument: str) -> str:
        """A name for what the op puts out."""
        view = {**node.out, **node.adds}[argument]
        value = self.graph.values[view.of]
        if value.kind == "gradient":
            first = view.of not in self.texts
            return self._gradient(value) if first and view.plain else self.names.new("d")
        number = self.forward.get(id(node))
        if number is not None:
            return self.names.new(f"h{number}" if argument == "y" else f"{argument}{number}")
        return self.names.new(self._derivative(node, argument))

    def _gradient(self, value: Value) -> str:
        self.texts[value.name] = self.names.new("d" + self.stored[value.name.removeprefix("d ")])
        return self.texts[value.name]

    def _derivative(self, node: Node, argument: str) -> str:
        """d before the name of what the forward was given, where its node is found."""
        for forward in self.called.get((node.path, node.op.removesuffix("_backward")), []):
            views = {**forward.given, **forward.out}
            given = forward.given.get(argument.removeprefix("d"))
            same = all(views.get(name, view) == view for name, view in node.given.items() if isinstance(view, View))
            if same and isinstance(given, View) and given.plain and self.texts.get(given.of, "").isidentifier():
                return f"d{self.texts[given.of]}"
        return argument

    def _assign(self, node: Node, argument: str, text: str) -> None:
        target = self._target(node, argument)
        self.lines.append(f"    {target} = {text}")
        self._settle(node.out[argument], target, adds=False)

    def _settle(self, view: View, target: str, *, adds: bool) -> None:
        """Make of what an op put out the value that the view is of, or add it to a gradient."""
        value = self.graph.values[view.of]
        if adds and self.texts.get(view.of) != target:
            if view.of not in self.texts:
                name = self.stored[view.of.removeprefix("d ")]
                self.lines.append(f'    {self._gradient(value)} = np.zeros_like(p["{name}"])')
            whole = undone(view, target, value.shape, self.extents)
            self.lines.append(f"    {place(view, self.texts[view.of], value.shape, self.extents)} += {whole}")
            return
        whole = undone(view, target, value.shape, self.extents)
        if whole != target:
            self.lines.append(f"    {target} = {whole}")
        self.texts[view.of] = target


def _setting(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _concat(body: Body, node: Node) -> str:
    parts = [body.view(part) for name, part in node.given.items() if name.isdigit()]
    return f"np.concatenate([{', '.join(parts)}], axis={node.given['axis']})"


INLINE: Mapping[str, Callable[[Body, Node], str]] = {
    "concat": _concat,
    "copy": lambda body, node: body.view(node.given["x"]),
    "add": lambda body, node: f"{body.view(node.given['a'])} + {body.view(node.given['b'])}",
}
"""Ops that Python has."""
