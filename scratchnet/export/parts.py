"""Arrays that are written part by part: each part becomes a value of its own, and a "concat" joins them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from scratchnet.core.plan import Ref
from scratchnet.core.types import Shape

from .errors import ExportError
from .graph import Node, Value, View
from .views import seen


def joined(nodes: list[Node], values: dict[str, Value]) -> list[Node]:
    """Ops that write part of an array write one of its own; where the parts are complete, a "concat" joins them."""
    found: list[Node] = []
    waiting: dict[str, list[tuple[View, View]]] = {}  # by value: where each part belongs, and what it is
    for node in nodes:
        out = dict(node.out)
        for argument, view in node.out.items():
            if not view.complete:
                parts = waiting.setdefault(view.of, [])
                if node.op == "copy" and _inward(view) == tuple(range(len(view.shape))):
                    out.pop(argument)
                    parts.append((view, node.given["x"]))
                else:
                    out[argument] = _part(view, f"{view.of}.{len(parts)}", values)
                    parts.append((view, _in_order(out[argument], values)))
        if out or node.adds:
            found.append(replace(node, out=out))
        for name, parts in list(waiting.items()):
            if sum(math.prod(view.shape) for view, _ in parts) == math.prod(values[name].shape):
                found.append(_concat(name, waiting.pop(name), node.path, values))
    if waiting:
        raise ExportError("an array of which only a part is written", actual=", ".join(waiting))
    return found


def _inward(view: View) -> tuple[int, ...]:
    """The view's axes from the outermost in memory to the innermost; those of extent 1 stay where they are."""
    strides = list(view.strides)
    for axis in reversed(range(len(strides))):
        if view.shape[axis] == 1:
            strides[axis] = strides[axis + 1] if axis + 1 < len(strides) else 1
    return tuple(sorted(range(len(strides)), key=lambda axis: -strides[axis]))


def _part(view: View, name: str, values: dict[str, Value]) -> View:
    """A value of its own for what the view shows, in the same order in memory."""
    order = _inward(view)
    shape = tuple(view.shape[axis] for axis in order)
    values[name] = Value(name, shape, values[view.of].dtype, "made")
    strides = [math.prod(shape[order.index(axis) + 1 :]) for axis in range(len(order))]
    return seen(name, Ref(0, 0, view.shape, tuple(strides)), math.prod(shape), 1)


def _in_order(part: View, values: Mapping[str, Value]) -> View:
    """The whole value as it lies in memory."""
    shape = values[part.of].shape
    return seen(part.of, Ref(0, 0, shape, _strides(shape)), math.prod(shape), 1)


def _strides(shape: Shape) -> tuple[int, ...]:
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def _concat(name: str, parts: list[tuple[View, View]], path: str, values: dict[str, Value]) -> Node:
    """Along the axis on which the parts follow each other without a gap."""
    parts = sorted(parts, key=lambda pair: pair[0].offset)
    first, order = parts[0][0], _inward(parts[0][0])
    size = math.prod(values[name].shape)
    for axis, old in enumerate(order):
        shape = tuple(sum(v.shape[a] for v, _ in parts) if a == old else first.shape[a] for a in order)
        strides, end, follows = _strides(shape), 0, math.prod(shape) == size
        for view, _ in parts:
            follows &= view.offset == end * strides[axis] and _fits(view, order, shape, strides, axis)
            end += view.shape[old]
        if follows:
            values[name] = Value(name, shape, values[name].dtype, "made")
            given: dict[str, Any] = {str(i): what for i, (_, what) in enumerate(parts)}
            whole = seen(name, Ref(0, 0, shape, strides), size, 1)
            return Node("concat", path, given | {"axis": axis}, {"y": whole})
    raise ExportError("parts of an array that do not lie side by side", where=path)


def _fits(view: View, order: tuple[int, ...], shape: Shape, strides: Shape, along: int) -> bool:
    """Whether a part has the whole's extents on all axes but one, and its strides."""
    extents = [view.shape[axis] for axis in order]
    same = all(n == m for at, (n, m) in enumerate(zip(extents, shape, strict=True)) if at != along)
    steps = [view.strides[axis] for axis in order]
    return same and all(s == t for s, t, n in zip(steps, strides, extents, strict=True) if n != 1)
