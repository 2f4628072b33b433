"""From a recorded plan to a graph: buffers become named values, byte offsets become views."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from scratchnet.core.plan import Call, Plan, Ref
from scratchnet.core.record import record
from scratchnet.core.types import named_leaves, structured
from scratchnet_kernels import OPS

from .errors import ExportError
from .graph import Graph, Node, PerSample, Value, View
from .parts import joined
from .views import seen

if TYPE_CHECKING:
    from scratchnet.core.network import Network

GIVEN = {"parameters": "parameter", "buffers": "buffer", "gradients": "gradient"}


def graph_of(net: Network, *, training: bool = False, need_dx: bool = False) -> Graph:
    """The evaluation forward of `net`; with `training`, the training forward and its backward.

    It is recorded for two and for three samples; what differs grows with the number of samples.

    Raises:
        ExportError: where an extent does not grow in step with the number of samples.
    """
    of_two, of_three = (traced(net, n, training=training, need_dx=need_dx) for n in (2, 3))
    merged: Graph = _merged(of_two, of_three, "")
    return merged


def _merged(of_two: Any, of_three: Any, where: str) -> Any:
    """One description out of two that differ only where numbers grow with the samples."""
    if type(of_two) is int and type(of_three) is int and of_two != of_three:
        if of_two * 3 != of_three * 2 or of_two % 2:
            raise ExportError("an extent that is no multiple of the number of samples", where=where)
        return PerSample(of_two // 2)
    if isinstance(of_two, Graph | Node | Value | View):
        where = getattr(of_two, "path", "") or where
        pairs = {f.name: (getattr(of_two, f.name), getattr(of_three, f.name)) for f in fields(of_two)}
        return replace(of_two, **{name: _merged(*pair, f"{where} {name}".strip()) for name, pair in pairs.items()})
    if isinstance(of_two, tuple) and isinstance(of_three, tuple):
        merged = [_merged(a, b, where) for a, b in zip(of_two, of_three, strict=True)]
        return type(of_two)(*merged) if structured(of_two) else tuple(merged)
    if type(of_two) is dict and isinstance(of_three, dict):
        return {key: _merged(of_two[key], of_three[key], f"{where} {key}") for key in of_two}
    return of_two


def traced(net: Network, samples: int, *, training: bool, need_dx: bool) -> Graph:
    """The graph for so many samples, every extent a number."""
    plan = record(net, samples, training=training, need_dx=need_dx, side={}, plain=True)
    names = _Names(net, plan, samples)
    forward = [names.node(call) for call in plan.forward]
    logits = names.view(plan.logits)
    updates = {name: names.view(ref) for name, ref in plan.updates.items()}
    backward = [names.node(call) for call in plan.backward] if training else []
    dx = _of_places(names.view, plan.dx) if training else None
    ends = (logits, *updates.values(), *(dx if isinstance(dx, tuple) else (dx,)))
    results = {view.of for view in ends if view is not None}
    forward, backward = joined(forward, names.values), joined(backward, names.values)
    backward = _needed(backward, results)  # first, so that the forward keeps what it reads
    forward = _needed(forward, results)
    values = {name: value for name, value in names.values.items() if name in results or name in names.inputs}
    return Graph(values, tuple(forward), tuple(backward), logits, dx, updates)


class _Names:
    """The names of values while a plan is walked: each write to a whole buffer makes a new one."""

    def __init__(self, net: Network, plan: Plan, samples: int) -> None:
        self.plan = plan
        self.stores = {"parameters": net.parameters, "gradients": net.gradients, "buffers": net.buffers}
        self.values: dict[str, Value] = {}
        self.holds: dict[int, str] = {}  # what a buffer holds now
        self.made = 0
        leaves = named_leaves("x", net.input_shape)
        self.inputs = [name.removeprefix("x.") for name in leaves]
        shapes = {name: (samples, *shape) for name, shape in leaves.items()} | {"dlogits": plan.logits.shape}
        for number, buffer in enumerate(plan.buffers):
            if buffer.kind not in (*GIVEN, "tape", "scratch"):
                name = buffer.kind.removeprefix("x.")
                shape = shapes.get(buffer.kind, (buffer.size,))
                self.values[name] = Value(name, shape, buffer.dtype.name, "input")
                self.holds[number] = name

    def node(self, call: Call) -> Node:
        """A call, its arguments read before its results get their names."""
        op = OPS[call.op]
        args = dict(zip(op.parameters, call.args, strict=True))
        given = {n: self.view(a) if isinstance(a, Ref) else a for n, a in args.items() if n not in op.writes}
        out = {n: self.write(args[n]) for n in op.out if args[n] is not None}
        adds = {n: self.view(args[n]) for n in op.adds if args[n] is not None}
        return Node(call.op, call.path, given, out, adds)

    def view(self, ref: Ref) -> View:
        """How a value is seen."""
        buffer = self.plan.buffers[ref.buffer]
        if buffer.kind in GIVEN:
            return self._stored(buffer.kind, ref, buffer.dtype.itemsize)
        name = self.holds.get(ref.buffer)
        if name is None:
            raise ExportError("memory is read that nothing has written", where=buffer.path)
        return seen(name, ref, buffer.size, buffer.dtype.itemsize)

    def write(self, ref: Ref) -> View:
        """A new value where the buffer is written first or as a whole; else part of the one it holds."""
        buffer = self.plan.buffers[ref.buffer]
        whole = math.prod(ref.shape) == buffer.size
        if whole or ref.buffer not in self.holds:
            self.made += 1
            name = f"h{self.made}"
            place = seen(name, ref, buffer.size, buffer.dtype.itemsize)
            shape = ref.shape if place.plain else place.grid
            self.values[name] = Value(name, shape, buffer.dtype.name, "made")
            self.holds[ref.buffer] = name
        return seen(self.holds[ref.buffer], ref, buffer.size, buffer.dtype.itemsize)

    def _stored(self, kind: str, ref: Ref, itemsize: int) -> View:
        """A parameter, a buffer or a gradient by its name in the store."""
        at = ref.offset // itemsize
        segment = next(s for s in self.stores[kind].segments.values() if s.start <= at < max(s.stop, s.start + 1))
        name = f"d {segment.name}" if kind == "gradients" else segment.name
        self.values.setdefault(name, Value(name, segment.shape, self.stores[kind].dtype.name, GIVEN[kind]))
        here = ref._replace(offset=ref.offset - segment.start * itemsize)
        return seen(name, here, segment.stop - segment.start, itemsize)


def _needed(nodes: list[Node], results: set[str]) -> list[Node]:
    """Without outputs that nobody reads, and without ops that then put out nothing. `results` grows by what is read."""
    kept: list[Node] = []
    for node in reversed(nodes):
        out = {name: view for name, view in node.out.items() if view.of in results}
        if out or node.adds:
            unread = {name: view for name, view in node.out.items() if name not in out}
            kept.append(replace(node, out=out, unread=unread))
            results.update(view.of for view in _views(kept[-1]))
    return kept[::-1]


def _of_places(function: Callable[[Ref], View], place: Any) -> Any:
    """Leaf by leaf. A Ref is a NamedTuple too."""
    if isinstance(place, Ref) or place is None:
        return None if place is None else function(place)
    return place._make(_of_places(function, leaf) for leaf in place)


def _views(node: Node) -> list[Any]:
    return [v for v in (*node.given.values(), *node.out.values(), *node.adds.values()) if isinstance(v, View)]
