"""Parallel: several layers see one input."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from scratchnet.core.case import Case, Draw
from scratchnet.core.composite import Composite, summed, trains
from scratchnet.core.errors import ConfigError, ShapeError
from scratchnet.core.layer import Layer, layer, require, whole
from scratchnet.core.sequential import Sequential
from scratchnet.core.types import Array, Leaves, Shape, Views

from .dense import Dense
from .relu import ReLU

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """What each branch saved, and how long its output is along the joined axis."""

    children: tuple[Any, ...]
    extents: tuple[int, ...]


@layer
class Parallel(Composite):
    """y = [f_0(x), f_1(x), …] joined along an axis, or y = Σᵢ f_i(x).

    Shapes: joined, the branches' outputs agree in every other axis; summed, in all of them.
    Derivative: dx = Σᵢ f_iᵀ(dy_i), where dy_i is branch i's part of dy, or all of it for the sum.
    Branches are called "0", "1", …; their parameters "0.W", … (Szegedy et al. 2015 is the model with "concat".)

    Args:
        branches: one layer or more; several in a row go into a Sequential.
        combine: "concat" or "sum".
        axis: the axis to join along, counted with the batch axis: 1 is features or channels.

    Raises:
        ConfigError: no branch, not layers, an unknown `combine`, axis < 1, or branches that take indices beside floats.
        ShapeError: outputs that do not fit each other; it names both.
    """

    branches: tuple[Layer, ...]
    combine: Literal["concat", "sum"] = "concat"
    axis: int = 1

    def __init__(self, *branches: Layer, combine: Literal["concat", "sum"] = "concat", axis: int = 1) -> None:
        for position, branch in enumerate(branches):
            if not isinstance(branch, Layer):
                hint = f"write {branch.__name__}(...)" if isinstance(branch, type) else "Parallel(Dense(3), Dense(5))"
                raise ConfigError("not a layer", where=f"position {position}", actual=repr(branch), hint=hint)
        require(len(branches) > 0, "Parallel needs a branch", hint="Parallel(Dense(3), Dense(5))")
        kinds = {branch.in_kind for branch in branches}
        require(len(kinds) == 1, "branches take one kind of input", actual=" and ".join(sorted(map(str, kinds))))
        require(combine in ("concat", "sum"), "combine is concat or sum", actual=repr(combine))
        require(
            whole(axis),
            "axis is a whole number; the batch axis counts as 0 and cannot be joined",
            expected=">= 1",
            actual=repr(axis),
        )
        for name, value in (("branches", branches), ("combine", combine), ("axis", axis)):
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        shown = [*map(repr, self.branches)]
        shown += [f"combine={self.combine!r}"] if self.combine != "concat" else []
        shown += [f"axis={self.axis}"] if self.axis != 1 else []
        return f"Parallel({', '.join(shown)})"

    def children(self) -> Iterable[tuple[str, Layer]]:
        """The branches by position."""
        return ((str(position), branch) for position, branch in enumerate(self.branches))

    def out_shape(self, in_shape: Shape) -> Shape:
        """The branches' shape, its joined axis as long as all of theirs."""
        shapes = [branch.out_shape(in_shape) for branch in self.branches]
        if self.combine == "sum":
            self._agree(shapes, shapes)
            return shapes[0]
        at = self.axis - 1  # without the batch axis
        if at >= len(shapes[0]):
            raise ShapeError("the outputs have no such axis to join", expected=f"axis {self.axis}", actual=shapes[0])
        self._agree(shapes, [shape[:at] + shape[at + 1 :] for shape in shapes])
        first = shapes[0]
        return (*first[:at], sum(shape[at] for shape in shapes), *first[at + 1 :])

    def _agree(self, shapes: list[Shape], compared: list[Shape]) -> None:
        for position, (shape, part) in enumerate(zip(shapes, compared, strict=True)):
            if len(shape) != len(shapes[0]) or part != compared[0]:
                raise ShapeError(
                    f"outputs do not fit for {self.combine}",
                    where=f"branches 0 and {position}",
                    expected=f"like branch 0's {('N', *shapes[0])}" + f", but for axis {self.axis}" * (part != shape),
                    actual=("N", *shape),
                )

    def _part(self, start: int, extent: int) -> tuple[slice, ...]:
        """Where a branch's output lies in y."""
        return (slice(None),) * self.axis + (slice(start, start + extent),)

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = [f_0(x), f_1(x), …], or Σᵢ f_i(x)."""
        ys, saved = zip(*[run.call(name, f.forward, k, p, x) for name, f in self.children()], strict=True)
        if self.combine == "sum":
            return summed(k, ys, run), Saved(saved, ())
        extents = tuple(y.shape[self.axis] for y in ys)
        shape = list(ys[0].shape)
        shape[self.axis] = sum(extents)
        joined, start = run.empty(tuple(shape), ys[0].dtype), 0
        for y, extent in zip(ys, extents, strict=True):
            k.copy(y, joined[self._part(start, extent)])  # (N, C_i, ...) -> (N, ΣC_i, ...)
            start += extent
        return joined, Saved(saved, extents)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Leaves:
        """Of y = [f_0(x), …]: each branch gets its part of dy (of a sum, all of it); dx is the sum of their dx."""
        need_dx, start = run.need_dx, 0
        found: list[Leaves] = []
        for position, (name, branch) in enumerate(self.children()):
            part = dy
            if self.combine == "concat":
                part = dy[self._part(start, saved.extents[position])]  # (N, ΣC_i, ...) -> (N, C_i, ...)
                start += saved.extents[position]
            if need_dx or trains(g, name):
                kept = saved.children[position]
                found.append(run.call(name, branch.backward, k, p, g, kept, part, need_dx=need_dx))
        dxs = [dx for dx in found if dx is not None]
        return summed(k, dxs, run) if need_dx and dxs else None

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """One to three branches of different lengths, joined along either axis, or summed; some without weights."""
        n = draw.integer(1, 5)
        if draw.one_of(True, False):
            branches = draw.one_of((ReLU(),), (Dense(n), ReLU()), (ReLU(), Dense(n), Sequential(Dense(2), Dense(n))))
            return Case(cls(*branches, combine="sum"), in_shape=(n,))
        if draw.one_of(True, False):
            axis = draw.integer(1, 3)
            nested = cls(ReLU(), Sequential(), axis=axis)
            return Case(cls(*draw.one_of((Sequential(), ReLU()), (ReLU(), nested)), axis=axis), in_shape=(2, 3, 4))
        branches = draw.one_of((Dense(3),), (Dense(3), ReLU()), (Dense(2), Sequential(ReLU(), Dense(4)), Sequential()))
        return Case(cls(*branches), in_shape=(n,))
