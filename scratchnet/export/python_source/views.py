"""A view as the shortest Python that makes it from the variable that holds its value."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..errors import ExportError
from ..graph import PerSample, View
from .lines import tuple_of


class Extents:
    """How extents are written: one that grows with the samples as `len(x)` or a multiple of it."""

    def __init__(self, samples: str) -> None:
        self.samples = samples

    def text(self, extent: int) -> str:
        """In Python."""
        if not isinstance(extent, PerSample):
            return str(extent)
        return self.samples if extent == 1 else f"{int(extent)} * {self.samples}"

    def shape(self, shape: Sequence[int]) -> str:
        """As the arguments of reshape."""
        return ", ".join(self.text(extent) for extent in shape)


def same(a: Sequence[int], b: Sequence[int]) -> bool:
    """Whether two shapes are one: k samples and the number k are not."""
    return key(a) == key(b)


def key(shape: Sequence[int]) -> list[tuple[int, bool]]:
    """What tells shapes apart."""
    return [(int(extent), isinstance(extent, PerSample)) for extent in shape]


def shown(view: View, name: str, shape: Sequence[int], extents: Extents) -> str:
    """The view of the variable `name`, which has the given shape."""
    if view.plain:
        return name if same(shape, view.shape) else f"{name}.reshape({extents.shape(view.shape)})"
    taken: Sequence[int] = [extent for _, extent in spans(view)]
    picked = indices(view, shape)
    if picked is None:
        base = name if same(shape, view.grid) else f"{name}.reshape({extents.shape(view.grid)})"
        picked = slices(view.take, view.grid, extents)
        left: Sequence[int] = taken
    else:  # a place of one of the value's own axes
        base, left = name, [e for e, index in zip(shape, picked, strict=True) if index == ":"]
    while picked and picked[-1] == ":":
        picked.pop()
    text = f"{base}[{', '.join(picked)}]" if picked else base
    if view.order != tuple(range(len(view.order))):
        if not same(left, taken):
            text, left = f"{text}.reshape({extents.shape(taken)})", taken
        text += f".transpose({', '.join(map(str, view.order))})"
        left = [taken[axis] for axis in view.order]
    return text if same(left, view.shape) else f"{text}.reshape({extents.shape(view.shape)})"


def spans(view: View) -> list[tuple[int, int]]:
    """(start, extent) of what is taken of each axis of the grid."""
    return [
        (start, extent if start == 0 and same([stop], [extent]) else _less(stop, start))
        for (start, stop), extent in zip(view.take, view.grid, strict=True)
    ]


def _less(stop: int, start: int) -> int:
    difference = int(stop) - int(start)
    return PerSample(difference) if isinstance(stop, PerSample) else difference


def slices(take: Sequence[tuple[int, int]], grid: Sequence[int], extents: Extents) -> list[str]:
    """The index of each axis."""
    found = []
    for (start, stop), extent in zip(take, grid, strict=True):
        ends = not same([stop], [extent])
        found.append(f"{extents.text(start) if start else ''}:{extents.text(stop) if ends else ''}")
    return found


def indices(view: View, shape: Sequence[int]) -> list[str] | None:
    """Where the grid joins axes of the value, and what is taken is a place of one of them: an index for each axis."""
    found: list[str] = []
    axes = list(shape)
    for (start, stop), room in zip(view.take, view.grid, strict=True):
        group = [axes.pop(0)] if axes else []
        while axes and not same([_product(group)], [room]):
            group.append(axes.pop(0))
        if not group or not same([_product(group)], [room]):
            return None
        inner = math.prod(int(e) for e in group[1:])
        if start == 0 and same([stop], [room]):
            found += [":"] * len(group)
        elif isinstance(room, PerSample) or len(group) == 1 or start % inner or stop - start != inner:
            return None
        else:
            found += [str(start // inner), *[":"] * (len(group) - 1)]
    return None if axes else found


def _product(group: Sequence[int]) -> int:
    product = math.prod(int(e) for e in group)
    return PerSample(product) if any(isinstance(e, PerSample) for e in group) else product


def undone(view: View, text: str, shape: Sequence[int], extents: Extents) -> str:
    """From what an op put out, seen as the view, back to the array that the view is of; `shape` is the array's."""
    taken = [extent for _, extent in spans(view)]
    laid = [taken[axis] for axis in view.order]
    left: Sequence[int] = view.shape
    if view.order != tuple(range(len(view.order))):
        if not same(left, laid):
            text = f"{text}.reshape({extents.shape(laid)})"
        text += f".transpose({', '.join(str(view.order.index(axis)) for axis in range(len(laid)))})"
        left = taken
    wanted = shape if view.complete else taken
    return text if same(left, wanted) else f"{text}.reshape({extents.shape(wanted)})"


def place(view: View, name: str, shape: Sequence[int], extents: Extents) -> str:
    """The part of the variable that the view is, before its axes are moved: to be added to."""
    if view.complete:
        return name
    if not same(shape, view.grid):
        raise ExportError("part of a gradient that no slice is", where=view.of, actual=tuple_of([*map(str, view.grid)]))
    return f"{name}[{', '.join(slices(view.take, view.grid, extents))}]"
