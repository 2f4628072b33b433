"""Residual: what the body adds to its input."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from scratchnet.core.case import Case, Draw
from scratchnet.core.composite import Composite, summed, trains
from scratchnet.core.errors import ShapeError
from scratchnet.core.layer import Layer, layer, require
from scratchnet.core.sequential import Sequential
from scratchnet.core.types import Array, Leaves, Shape, Views

from .dense import Dense
from .relu import ReLU

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """What body and shortcut saved."""

    body: Any
    shortcut: Any


@layer
class Residual(Composite):
    """y = body(x) + x, or y = body(x) + shortcut(x) (He et al. 2016, eq. 1 and 2).

    Shapes: body and shortcut put out one shape; without a shortcut it is the input's.
    Derivative: dx = bodyᵀ(dy) + dy, or bodyᵀ(dy) + shortcutᵀ(dy).
    Parameters are called "body. ...", "shortcut. ...".

    Args:
        body: a layer; several go into a Sequential.
        shortcut: a layer that brings x to the body's shape, or None for x itself.

    Raises:
        ConfigError: not layers, or one takes indices and the other floats.
        ShapeError: the two shapes differ; it names both.
    """

    body: Layer
    shortcut: Layer | None = None

    def __post_init__(self) -> None:
        hint = "Residual(Sequential(Dense(8), ReLU()))"
        require(isinstance(self.body, Layer), "body is a layer", actual=repr(self.body), hint=hint)
        if self.shortcut is not None:
            require(isinstance(self.shortcut, Layer), "shortcut is a layer or None", actual=repr(self.shortcut))
            kinds = self.body.in_kind, self.shortcut.in_kind
            require(
                kinds[0] == kinds[1], "body and shortcut take one kind of input", actual=" and ".join(map(str, kinds))
            )

    def children(self) -> Iterable[tuple[str, Layer]]:
        """The body, and the shortcut if there is one."""
        yield "body", self.body
        if self.shortcut is not None:
            yield "shortcut", self.shortcut

    def out_shape(self, in_shape: Shape) -> Shape:
        """The body's, which must be the shortcut's too."""
        through = self.body.out_shape(in_shape)
        beside = in_shape if self.shortcut is None else self.shortcut.out_shape(in_shape)
        if through != beside or (self.shortcut is None and self.in_kind == "index"):
            name = "the input" if self.shortcut is None else "the shortcut"
            raise ShapeError(
                f"Residual adds its body and {name}, so they have one shape",
                expected=f"{name}'s shape {('N', *beside)}",
                actual=f"the body's shape {('N', *through)}",
                hint="give it a shortcut that changes the shape alike" if self.shortcut is None else None,
            )
        return through

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = body(x) + shortcut(x)."""
        through, body = run.call("body", self.body.forward, k, p, x)
        beside, shortcut = x, None
        if self.shortcut is not None:
            beside, shortcut = run.call("shortcut", self.shortcut.forward, k, p, x)
        return summed(k, (through, beside), run), Saved(body, shortcut)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Leaves:
        """Of y = body(x) + shortcut(x): both get dy, and dx is the sum of what they return."""
        need_dx = run.need_dx
        through, beside = None, dy
        if need_dx or trains(g, "body"):
            through = run.call("body", self.body.backward, k, p, g, saved.body, dy, need_dx=need_dx)
        if self.shortcut is not None and (need_dx or trains(g, "shortcut")):
            beside = run.call("shortcut", self.shortcut.backward, k, p, g, saved.shortcut, dy, need_dx=need_dx)
        if not need_dx or through is None:  # nobody asks, or x is whole numbers
            return None
        return summed(k, (through, beside), run)

    @property
    def in_kind(self) -> Leaves:
        """The body's."""
        return self.body.in_kind

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """With and without shortcut and weights; one Residual inside another; on vectors and on more axes."""
        n = draw.integer(1, 5)
        body = draw.one_of(ReLU(), Dense(n), Sequential(Dense(3), ReLU(), Dense(n)), cls(Dense(n)))
        if draw.one_of(True, False):
            made = cls(Sequential(Dense(4), ReLU(), Dense(6)), draw.one_of(Dense(6), Sequential(ReLU(), Dense(6))))
            return Case(made, in_shape=(n,))
        return Case(cls(ReLU()), in_shape=(2, 3, 4)) if draw.integer(0, 3) == 0 else Case(cls(body), in_shape=(n,))
