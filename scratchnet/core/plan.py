"""The plan: a step as a list of op calls over numbered buffers, got by running the layers on a recording op table.

The recorder computes nothing. The arrays that the layers see are real, so shapes, views and strides are real too;
each op call is noted down with the place of every argument. What summary, compiler and emitters need is in there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from scratchnet_kernels import OPS, Backend, ScratchnetError
from scratchnet_kernels.workspace import aligned

from .types import Array, Leaves, Shape, map_leaves, structured


class Ref(NamedTuple):
    """An array as a place: a buffer's number, an offset in bytes, shape and strides."""

    buffer: int
    offset: int
    shape: Shape
    strides: tuple[int, ...]


@dataclass(frozen=True)
class Call:
    """One op call: arguments by position, arrays as Refs. `flops` as the op declares them, 0 where it does not."""

    op: str
    args: tuple[Any, ...]
    path: str
    flops: int


@dataclass(frozen=True)
class Buffer:
    """Memory that the plan uses. kind: "tape", "scratch", or the name of something given from outside.

    Leaves of a NamedTuple are given one by one, as "x.query", "x.memory".
    """

    kind: str
    size: int
    dtype: np.dtype[Any]
    first: int  # the byte address at recording time
    nbytes: int
    path: str = ""  # of the layer that leased it
    phase: str = "forward"  # or "backward": when it was leased


class RecordError(ScratchnetError, RuntimeError):
    """A layer used an array that came neither from `run` nor from an op: a silent copy, or arithmetic outside `k`."""


class Recorder:
    """Stands in for the op table `k`: notes calls down instead of computing."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.buffers: list[Buffer] = []
        self.calls: list[Call] = []
        self.path: Callable[[], str] = lambda: ""
        self.phase = "forward"
        self._alive: list[Array] = []  # addresses must not be reused while recording

    def lease(self, array: Array, kind: str) -> Array:
        """Make a buffer known."""
        self._alive.append(array)
        made = kind, array.size, array.dtype, _address(array), array.nbytes
        self.buffers.append(Buffer(*made, self.path(), self.phase))
        return array

    def ref(self, value: Any, what: str) -> Any:
        """The place of an array; anything else as it is."""
        if not isinstance(value, np.ndarray):
            return value
        low, high = _bounds(value)
        for number in range(len(self.buffers) - 1, -1, -1):
            buffer = self.buffers[number]
            if buffer.first <= low and high <= buffer.first + buffer.nbytes and buffer.dtype == value.dtype:
                return Ref(number, _address(value) - buffer.first, value.shape, value.strides)
        if value.size == 0:
            self.lease(value, "tape")
            return self.ref(value, what)
        raise RecordError(
            "a layer used an array that was made outside k and run",
            where=f"{self.path()}, {what}",
            actual=f"shape {value.shape}, {value.dtype}",
            hint="get memory from run.empty, compute through k, and copy with k.copy where a view is impossible",
        )

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name not in OPS:
            raise AttributeError(name)
        declared = OPS[name]

        def note(*args: Any, **kwargs: Any) -> None:
            args = declared.bind(args, kwargs)
            extents = declared.check(args)
            refs = tuple(self.ref(a, f"{name}({n})") for n, a in zip(declared.parameters, args, strict=True))
            flops = declared.flops(extents) if declared.flops else 0
            self.calls.append(Call(name, refs, self.path(), flops))

        return note


def _address(array: Array) -> int:
    return int(array.__array_interface__["data"][0])


def _bounds(array: Array) -> tuple[int, int]:
    """The address of the first byte, and of the one behind the last. Strides may be negative."""
    first = _address(array)
    if array.size == 0:
        return first, first
    reach = [(n - 1) * step for n, step in zip(array.shape, array.strides, strict=True)]
    return first + sum(r for r in reach if r < 0), first + sum(r for r in reach if r > 0) + array.itemsize


@dataclass(frozen=True)
class Plan:
    """A recorded step: what forward and backward call, on which buffers.

    Attributes:
        backend: whose kernels it was recorded for.
        buffers: all memory, in order of first use.
        forward: the forward's calls.
        backward: the backward's calls.
        logits: where the forward's result lies.
        dx: where the input's gradient lies, or None; a NamedTuple of places where x is a NamedTuple.
        updates: where new values of buffers lie, by the buffer's name.
    """

    backend: Backend
    buffers: tuple[Buffer, ...]
    forward: tuple[Call, ...]
    backward: tuple[Call, ...]
    logits: Ref
    dx: Leaves
    updates: Mapping[str, Ref]

    @property
    def flops(self) -> tuple[int, int]:
        """Floating-point operations of (forward, backward), as far as the ops declare them."""
        return sum(c.flops for c in self.forward), sum(c.flops for c in self.backward)

    def arena(self, given: Mapping[str, Array]) -> list[Array]:
        """Memory for one replay: what is given by kind, and fresh arrays for the rest."""
        return [given[b.kind] if b.kind in given else aligned(b.size, b.dtype) for b in self.buffers]

    def replay(self, calls: tuple[Call, ...], arena: list[Array]) -> None:
        """Execute calls on an arena."""
        k = self.backend.table()
        for call in calls:
            getattr(k, call.op)(*[self.at(a, arena) for a in call.args])

    def at(self, place: Any, arena: list[Array]) -> Any:
        """The array at a place of an arena, leaf by leaf of a NamedTuple; anything that is no Ref as it is."""
        if not isinstance(place, Ref):
            return map_leaves(self.at, place, arena) if structured(place) else place
        base = arena[place.buffer].reshape(-1)
        return np.ndarray(place.shape, base.dtype, base, place.offset, place.strides)
