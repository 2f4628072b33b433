"""A network's forward as values and the ops between them: what every target is written from.

It is got from the recorded plan of the plain layers, so no layer is described here, and a composite is only what its
children call. A plan knows buffers and byte offsets; a graph names values, and says of an op's argument how to come
to it from a value by NumPy's means: reshape, slice, transpose, reshape. Any number of samples goes through: extents
that grow with it are `PerSample`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scratchnet.core.types import Shape


class PerSample(int):
    """k·N, with N samples. As a number it is k: what it is for one sample."""

    def __repr__(self) -> str:
        return "N" if self == 1 else f"{int(self)}·N"


@dataclass(frozen=True)
class View:
    """How an op sees a value: `value.reshape(grid)[take].transpose(order).reshape(shape)`.

    Attributes:
        of: the value's name.
        shape: as the op sees it.
        grid, take, order: the steps; take holds (start, stop) for each axis of the grid.
        offset, strides: the same place counted in elements of the value, for one sample.
    """

    of: str
    shape: Shape
    grid: Shape
    take: tuple[tuple[int, int], ...]
    order: tuple[int, ...]
    offset: int
    strides: tuple[int, ...]

    @property
    def complete(self) -> bool:
        """Whether it shows all of the value."""
        return all(start == 0 and stop == extent for (start, stop), extent in zip(self.take, self.grid, strict=True))

    @property
    def plain(self) -> bool:
        """Whether it shows all of the value in its order in memory: a reshape, at most."""
        return self.complete and self.order == tuple(range(len(self.order)))


@dataclass(frozen=True)
class Node:
    """One op call.

    Attributes:
        op: its name, or "concat" (arguments "0", "1", ... and `axis`), which stands for copies side by side.
        path: of the layer that called it, as in parameter names: "2.body.0".
        given: its arguments by the op's own names: Views, settings, and None for what is left out.
        out: what it puts out and somebody reads, by the op's own names, as Views of the values it makes.
        adds: the same for gradients that it adds to.
        unread: the same for outputs that the op has but nobody reads; their values are not in the graph.
    """

    op: str
    path: str
    given: Mapping[str, Any]
    out: Mapping[str, View]
    adds: Mapping[str, View] = field(default_factory=dict)
    unread: Mapping[str, View] = field(default_factory=dict)


@dataclass(frozen=True)
class Value:
    """An array with a name: shape, element type, and where it comes from.

    kind: "input"; "parameter" or "buffer" (name as in the network); "gradient" ("d 0.W" of parameter 0.W); "made".
    """

    name: str
    shape: Shape
    dtype: str
    kind: str


@dataclass(frozen=True)
class Graph:
    """A forward, and if asked for a backward.

    Attributes:
        values: by name, in order of their making. Inputs are called "x", or "query", "memory" where x has names;
            the cotangent "dlogits".
        nodes: the forward's ops in order.
        backward: the backward's.
        logits: how the result is seen.
        dx: how the input's gradient is seen, or None; a NamedTuple of these where x is a NamedTuple.
        updates: new values of buffers (running statistics) by the buffer's name.
    """

    values: Mapping[str, Value]
    nodes: tuple[Node, ...]
    backward: tuple[Node, ...]
    logits: View
    dx: Any
    updates: Mapping[str, View]

    @property
    def inputs(self) -> tuple[Value, ...]:
        """The arrays of x."""
        found = (value for value in self.values.values() if value.kind == "input")
        return tuple(value for value in found if value.name not in ("dlogits", "count"))

    @property
    def ops(self) -> tuple[str, ...]:
        """The kinds of op in it, each once, in order of first use."""
        return tuple(dict.fromkeys(node.op for node in (*self.nodes, *self.backward)))
