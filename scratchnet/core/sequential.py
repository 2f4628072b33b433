"""Sequential: one layer after the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from .case import Case, Draw
from .composite import Composite, trains
from .errors import ConfigError, ScratchnetError
from .layer import LAYERS, Layer, layer
from .types import Array, Leaves, Shape, Views

if TYPE_CHECKING:
    from scratchnet_kernels import OpTable

    from .run import Run


class Saved(NamedTuple):
    """What each child saved."""

    children: tuple[Any, ...]


@layer
class Sequential(Composite):
    """y = f_n(… f_2(f_1(x))). Children are called "0", "1", …; their parameters "0.W", "0.b", …

    Backward: dx = f_1ᵀ(f_2ᵀ(… f_nᵀ(dy))), the chain rule read from right to left.
    """

    layers: tuple[Layer, ...]

    def __init__(self, *layers: Layer) -> None:
        for position, child in enumerate(layers):
            if not isinstance(child, Layer):
                hint = f"write {child.__name__}(...)" if isinstance(child, type) else "Sequential(Dense(10), ReLU())"
                raise ConfigError("not a layer", where=f"position {position}", actual=repr(child), hint=hint)
        object.__setattr__(self, "layers", layers)

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.layers))})"

    def children(self) -> Iterable[tuple[str, Layer]]:
        """The layers by position."""
        return ((str(position), child) for position, child in enumerate(self.layers))

    def wiring(self, in_shape: Shape) -> Iterable[tuple[str, Layer, Shape]]:
        """Each layer sees the shape that the one before it puts out."""
        for name, child in self.children():
            yield name, child, in_shape
            in_shape = _through(name, child, in_shape)

    def out_shape(self, in_shape: Shape) -> Shape:
        """The last layer's."""
        for name, child in self.children():
            in_shape = _through(name, child, in_shape)
        return in_shape

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """Hand each child the output of the one before."""
        saved = []
        for name, child in self.children():
            x, kept = run.call(name, child.forward, k, p, x)
            saved.append(kept)
        return x, Saved(tuple(saved))

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Leaves:
        """Walk back, and stop where nobody further down wants a gradient."""
        needs = run.need_dx
        need_dx = []  # of child i: does the caller, or any child before i, need a gradient?
        for name, _ in self.children():
            need_dx.append(needs)
            needs = needs or trains(g, name)
        d: Leaves = dy
        for position in reversed(range(len(self.layers))):
            child = self.layers[position]
            d = run.call(str(position), child.backward, k, p, g, saved.children[position], d, need_dx=need_dx[position])
            if d is None:
                break
        return d if run.need_dx else None

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """A few layers of different kinds, weights in none, one or both."""
        known: dict[str, Any] = dict(LAYERS)  # by name, because core stands below layers/
        dense, relu, tanh = known["Dense"], known["ReLU"], known["Tanh"]
        makers: list[tuple[Any, ...]] = [(), (relu,), (dense, tanh), (tanh, dense, relu, dense)]
        body = [make(draw.integer(1, 5)) if make is dense else make() for make in draw.one_of(*makers)]
        return Case(cls(*body), in_shape=(draw.integer(1, 6),))


def _through(name: str, child: Layer, in_shape: Shape) -> Shape:
    """The shape behind a child; an error says which child it was."""
    try:
        return child.out_shape(in_shape)
    except ScratchnetError as error:
        error.where = f"layer {name}, {child!r}" + (f", {error.where}" if error.where else "")
        raise
