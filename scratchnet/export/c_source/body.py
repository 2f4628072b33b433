"""The body of scratchnet_logits: a call a node, in order, and the arrays that lie between them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet.core.types import DType

from ..errors import ExportError
from ..graph import Graph, Node, View
from .calls import FORMS, UNBROKEN, Code, Room
from .layout import Axes, axes_of, merged, size, together
from .slots import Slots
from .text import comment, one

if TYPE_CHECKING:
    from scratchnet.core.network import Network

RESULT = "logits"


class Body:
    """Statements, as they are collected.

    Attributes:
        lines: the statements.
        used: the functions called, each once, in order of first use.
        slots: the arrays for activations.
    """

    def __init__(self, net: Network, graph: Graph, names: Mapping[str, str]) -> None:
        self.lines: list[str] = []
        self.used: dict[str, None] = {}
        self.slots = Slots()
        self._dtype: DType = net.dtype
        self._graph = graph
        self._places = dict(names)  # of values: the arrays they lie in
        self._spare: list[str] = []  # arrays in use for one call
        self._last = {view.of: at for at, node in enumerate(graph.nodes) for view in _read(node)}
        layers = {
            path: f"{path}: {layer!r}, {shape} -> {layer.out_shape(shape)}"
            for path, layer, shape in net.body.wiring(net.input_shape)
        }
        for at, node in enumerate(graph.nodes):
            if told := layers.pop(node.path.split(".")[0], ""):
                self.lines += comment(told)
            self._node(node, at)
        self._result(graph.logits)

    def _node(self, node: Node, at: int) -> None:
        if node.op in ("copy", "concat"):
            out = self._made(node.out["y"])
            for view, offset, steps in _parts(node):
                self._copy(view, out, offset, steps)
            self._forget(node, at)
            return
        form = FORMS.get(node.op)
        if form is None or node.given.get("mask") is not None:
            what = f"C has no form of the op {node.op}" if form is None else "C has no masks"
            hint = "export to python, or leave the layer out"
            raise ExportError(what, where=f"layer {node.path}", expected=", ".join(sorted(FORMS)), hint=hint)
        wanted = form.arguments(node)
        given = {name: self._seen(view) for name, view in node.given.items() if isinstance(view, View)}
        if form.in_place:
            self._forget(node, at)
        out, after = self._written(node.out["y"])
        arguments = [self._argument(argument, {**given, "y": out}) for argument in wanted]
        self._call(form.function, *arguments)
        if after is not None:
            self._copy_into(after, out)
        if not form.in_place:
            self._forget(node, at)
        while self._spare:
            self.slots.give(self._spare.pop())

    def _argument(self, argument: Any, pointers: Mapping[str, str]) -> str:
        if isinstance(argument, Code):
            return str(argument)
        if isinstance(argument, Room):
            return self._room(int(argument))
        if isinstance(argument, np.float64):
            return one(argument.astype(self._dtype))
        return pointers.get(argument, "NULL") if isinstance(argument, str) else str(argument)

    def _seen(self, view: View) -> str:
        """A pointer to what a view shows, in one piece and in order: copied together, if it lies otherwise."""
        if together(view):
            return self._at(view)
        room = self._room(size(view.shape))
        self._move(axes_of(view), self._at(view), room)
        return room

    def _written(self, view: View) -> tuple[str, View | None]:
        """Where a function writes, and the view to copy that into, if it is not in one piece."""
        if together(view):
            return self._made(view), None
        return self._room(size(view.shape)), view

    def _copy_into(self, view: View, source: str) -> None:
        axes = [(extent, dense, step) for extent, step, dense in axes_of(view)]
        self._move(axes, source, self._made(view))

    def _copy(self, view: View, out: str, offset: int, steps: tuple[int, ...]) -> None:
        """What a view shows to a place in `out` with its own step for each axis."""
        axes = list(zip(map(int, view.shape), map(int, view.strides), steps, strict=True))
        self._move(merged(axes), self._at(view), f"{out} + {offset}" if offset else out)

    def _move(self, axes: Axes, source: str, target: str) -> None:
        if len(axes) > 4:
            raise ExportError("C copies arrays of at most four axes", actual=len(axes))
        full = [(1, 0, 0)] * (4 - len(axes)) + axes
        comma = f",{UNBROKEN}"
        columns = [f"(int[]){{{comma.join(map(str, column))}}}" for column in zip(*full, strict=True)]
        extents, there, here = columns
        self._call("copy", extents, source, there, target, here)

    def _at(self, view: View) -> str:
        place = self._places[view.of]
        return f"{place} + {int(view.offset)}" if view.offset else place

    def _made(self, view: View) -> str:
        """The array for a value that is now made: that of the result, if it is the result and all of it."""
        logits = self._graph.logits
        whole = view.of == logits.of and together(logits) and size(logits.shape) == size(self._shape(view.of))
        if view.of not in self._places:
            self._places[view.of] = RESULT if whole else self.slots.take(size(self._shape(view.of)))
        return self._places[view.of]

    def _shape(self, name: str) -> tuple[int, ...]:
        return self._graph.values[name].shape

    def _room(self, count: int) -> str:
        self._spare.append(self.slots.take(count))
        return self._spare[-1]

    def _forget(self, node: Node, at: int) -> None:
        """Arrays of values that nobody reads after this node are free."""
        for name in dict.fromkeys(view.of for view in _read(node)):
            if self._last[name] == at and name != self._graph.logits.of and self._places[name] in self.slots.sizes:
                self.slots.give(self._places[name])

    def _result(self, view: View) -> None:
        if self._places[view.of] != RESULT:
            self._move(axes_of(view), self._at(view), RESULT)

    def _call(self, function: str, *arguments: str) -> None:
        self.used[function] = None
        text = f"{function}({', '.join(arguments)});"
        lines = textwrap.wrap(
            text, 120, initial_indent="    ", subsequent_indent=" " * 8, break_long_words=False, break_on_hyphens=False
        )
        self.lines += [line.replace(UNBROKEN, " ") for line in lines]


def _read(node: Node) -> list[View]:
    return [view for view in node.given.values() if isinstance(view, View)]


def _parts(node: Node) -> Iterator[tuple[View, int, tuple[int, ...]]]:
    """Of a copy or a concat: what goes where; an offset and steps in the whole."""
    whole = node.out["y"]
    if node.op == "copy":
        yield node.given["x"], int(whole.offset), tuple(map(int, whole.strides))
        return
    axis, offset = node.given["axis"], 0
    for name, view in node.given.items():
        if name != "axis":
            yield view, offset, tuple(map(int, whole.strides))
            offset += int(view.shape[axis]) * int(whole.strides[axis])
