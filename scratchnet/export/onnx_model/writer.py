"""A graph of ONNX nodes while it is written: names, constants, and views as reshape, slice and transpose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx.helper
import onnx.numpy_helper

from ..errors import ExportError
from ..graph import Node, PerSample, View


class Writer:
    """Takes nodes in order; an op's function calls it with ONNX's operators and gets the names of their results.

    Attributes:
        nodes: what has been written.
        node: the call that is being written, for the shapes of its arguments and results.
        path: of its layer: the first part of the names of nodes and their results.
        names: of the tensors that hold the graph's values.
        shapes: of those tensors.
    """

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.node: Node
        self.path = "network"
        self.names: dict[str, str] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._used: dict[str, int] = {}
        self._constants: dict[tuple[Any, ...], str] = {}

    def __call__(self, operator: str, *given: str, outputs: int = 1, which: int = 0, **settings: Any) -> str:
        """One node. An empty name leaves an input out. Of several outputs, the name of `which`; others get none."""
        name = self._fresh(f"{self.path}/{operator}")
        results = [name if place == which else "" for place in range(outputs)]
        self.nodes.append(onnx.helper.make_node(operator, given, results, name=name, **settings))
        return name

    def constant(self, value: Any, dtype: Any = np.int64) -> str:
        """A small array that is no number of the network; each is written once."""
        array = np.asarray(value, dtype)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            name = self._constants[key] = self._fresh("constant")
            held = onnx.numpy_helper.from_array(array, name)
            self.nodes.append(onnx.helper.make_node("Constant", [], [name], name=name, value=held))
        return self._constants[key]

    def number(self, value: float) -> str:
        """A float32 without axes."""
        return self.constant(value, np.float32)

    def look(self, view: View) -> str:
        """The view's own recipe."""
        name, shape = self.names[view.of], self.shapes[view.of]
        if not view.complete:
            name, shape = self._slice(self.reshape(name, shape, view.grid), view)
        if view.order != tuple(range(len(view.order))):
            name = self("Transpose", self.reshape(name, shape, self._taken(view)), perm=view.order)
            shape = tuple(self._taken(view)[axis] for axis in view.order)
        return self.reshape(name, shape, view.shape)

    def put(self, view: View, name: str, shape: Sequence[int]) -> None:
        """Give the value that the view is of what was put out as the view shows it."""
        seen = view.shape
        if not view.plain:
            moved = tuple(view.grid[axis] for axis in view.order)
            back = [view.order.index(axis) for axis in range(len(view.order))]
            name, seen = self("Transpose", self.reshape(name, seen, moved), perm=back), view.grid
        self.names[view.of], self.shapes[view.of] = self.reshape(name, seen, shape), tuple(shape)

    def reshape(self, name: str, old: Sequence[int], new: Sequence[int]) -> str:
        """In ONNX one extent may follow from the others: the one that grows with the samples."""
        if _key(old) == _key(new):
            return name
        if sum(isinstance(extent, PerSample) for extent in new) > 1 or 0 in new:
            raise ExportError("a shape that ONNX's Reshape has no form for", where=self.path, actual=tuple(new))
        target = [-1 if isinstance(extent, PerSample) else extent for extent in new]
        return self("Reshape", name, self.constant(target))

    def _taken(self, view: View) -> tuple[int, ...]:
        """The extents of what is taken of each axis of the grid."""
        ends = zip(view.take, view.grid, strict=True)
        return tuple(room if stop == room and not start else stop - start for (start, stop), room in ends)

    def _slice(self, name: str, view: View) -> tuple[str, tuple[int, ...]]:
        axes = [axis for axis, extent in enumerate(self._taken(view)) if _key([extent]) != _key([view.grid[axis]])]
        ends = [view.take[axis] for axis in axes]
        if any(isinstance(end, PerSample) for pair in ends for end in pair):
            raise ExportError("a part of the samples alone, which ONNX has no form for here", where=self.path)
        starts, stops = zip(*ends, strict=True)
        return self("Slice", name, *map(self.constant, (starts, stops, axes))), self._taken(view)

    def _fresh(self, name: str) -> str:
        self._used[name] = self._used.get(name, 0) + 1
        return name if self._used[name] == 1 else f"{name}.{self._used[name]}"


def _key(shape: Sequence[int]) -> list[tuple[int, bool]]:
    """What tells shapes apart: k samples and the number k are not one."""
    return [(int(extent), isinstance(extent, PerSample)) for extent in shape]
