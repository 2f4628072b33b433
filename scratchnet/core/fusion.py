"""Fusion: runs of layers that one op can do, rewritten into one private layer when a Network is built.

The plain layers stay what a user sees and what names, checkpoints and emitters go by. What runs is a rewritten copy:

    Sequential(Conv2d(8, 3), ReLU(), MaxPool2d(2), Flatten())    what was written
    0 + 1 + 2: ConvReLUPool,               3: Flatten            what runs

A layer's file enters a pattern with `@fuses(Conv2d, ReLU, MaxPool2d)`; nothing here knows a layer.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, TypeVar

from .composite import Composite, trains
from .errors import ConfigError
from .layer import Layer
from .sequential import Saved, Sequential
from .types import Array, Leaves, Shape, Views

if TYPE_CHECKING:
    from scratchnet_kernels import Backend, OpTable

    from .run import Run

PATTERNS: list[tuple[tuple[type[Layer], ...], type[Fused]]] = []
"""Runs of layer classes and the fused layer that does each. Filled by `fuses`, as the layers' files are imported."""


class Fused(Composite):
    """Base of fused layers: a run of a Sequential's children, the first of which is called str(first).

    It stands beside its parent's other children under no name of its own: it gets its parent's `p` and `g`, so that
    "3.W" stays "3.W", and calls what it is made of through `run.call("3", ...)`. As a layer by itself it is a
    Sequential that begins to count at `first`.
    """

    first: int

    ops: ClassVar[tuple[str, ...]] = ()
    """The ops that it calls in place of its children's. A backend without them runs the plain layers."""

    @classmethod
    def of(cls, layers: tuple[Layer, ...], first: int) -> Self | None:
        """The fused form of these layers, which are of the pattern's classes; None where it would not pay."""
        raise NotImplementedError(f"{cls.__name__} does not say what it is made of")

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What it is made of, in order."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it is made of")

    def children(self) -> Iterable[tuple[str, Layer]]:
        """The layers by their position in the Sequential that they come from."""
        return ((str(self.first + i), child) for i, child in enumerate(self.layers))

    def wiring(self, in_shape: Shape) -> Iterable[tuple[str, Layer, Shape]]:
        """Each layer sees the shape that the one before it puts out."""
        for name, child in self.children():
            yield name, child, in_shape
            in_shape = child.out_shape(in_shape)

    def out_shape(self, in_shape: Shape) -> Shape:
        """The last layer's."""
        for child in self.layers:
            in_shape = child.out_shape(in_shape)
        return in_shape


F = TypeVar("F", bound=Fused)


def fuses(*kinds: type[Layer]) -> Callable[[type[F]], type[F]]:
    """Enter a fused layer for runs of exactly these classes. A subclass may do something else, and stays plain.

    Raises ConfigError where the run has a fused form already.
    """

    def enter(cls: type[F]) -> type[F]:
        if any(known == kinds for known, _ in PATTERNS):
            names = ", ".join(kind.__name__ for kind in kinds)
            raise ConfigError(f"there are two fused forms of {names}", actual=cls.__name__)
        PATTERNS.append((kinds, cls))
        PATTERNS.sort(key=lambda pattern: -len(pattern[0]))  # the longest run that fits is taken
        return cls

    return enter


class Part(NamedTuple):
    """What a rewritten Sequential runs in one go."""

    layer: Layer
    names: tuple[str, ...]  # of the children that it does


class FusedSequential(Sequential):
    """A Sequential whose children are those that were written, and whose work is done by parts.

    Made by `fuse` alone. It is not registered, and nothing that a user holds refers to it.
    """

    parts: tuple[Part, ...]

    def __init__(self, layers: tuple[Layer, ...], parts: tuple[Part, ...]) -> None:
        super().__init__(*layers)
        object.__setattr__(self, "parts", parts)

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """Hand each part the output of the one before."""
        saved = []
        for part in self.parts:
            if isinstance(part.layer, Fused):
                x, kept = part.layer.forward(k, p, x, run)
            else:
                x, kept = run.call(part.names[0], part.layer.forward, k, p, x)
            saved.append(kept)
        return x, Saved(tuple(saved))

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Leaves:
        """Walk back, and stop where nobody further down wants a gradient."""
        outer = needs = run.need_dx
        need_dx = []  # of part i: does the caller, or any part before i, need a gradient?
        for part in self.parts:
            need_dx.append(needs)
            needs = needs or any(trains(g, name) for name in part.names)
        d: Leaves = dy
        for part, kept, need in zip(self.parts[::-1], saved.children[::-1], need_dx[::-1], strict=True):
            if isinstance(part.layer, Fused):
                run.need_dx = need
                try:
                    d = part.layer.backward(k, p, g, kept, d, run)
                finally:
                    run.need_dx = outer
            else:
                d = run.call(part.names[0], part.layer.backward, k, p, g, kept, d, need_dx=need)
            if d is None:
                break
        return d if run.need_dx else None


def fuse(layer: Layer, backend: Backend) -> Layer:
    """The layer as it runs: runs of children of a Sequential in their fused form, at every depth of composites.

    What has nothing to fuse is returned as it is.
    """
    if type(layer) is Sequential:
        parts = tuple(_parts(layer.layers, backend))
        plain = len(parts) == len(layer.layers)
        same = plain and all(part.layer is child for part, child in zip(parts, layer.layers, strict=True))
        return layer if same else FusedSequential(layer.layers, parts)
    if not isinstance(layer, Composite) or isinstance(layer, Fused | Sequential) or not dataclasses.is_dataclass(layer):
        return layer
    changed = {}
    for field in dataclasses.fields(layer):
        held = getattr(layer, field.name)
        new = tuple(_held(h, backend) for h in held) if type(held) is tuple else _held(held, backend)
        if new is not held and (type(held) is not tuple or any(a is not b for a, b in zip(new, held, strict=True))):
            changed[field.name] = new
    if not changed:
        return layer
    made = copy.copy(layer)  # and not its constructor, which may take its children in another form
    for name, value in changed.items():
        object.__setattr__(made, name, value)
    return made


def _held(value: Any, backend: Backend) -> Any:
    """What a composite's field holds, fused if it is a layer."""
    return fuse(value, backend) if isinstance(value, Layer) else value


def _parts(layers: tuple[Layer, ...], backend: Backend) -> Iterable[Part]:
    """The children in order, runs of them fused."""
    position = 0
    while position < len(layers):
        found = _match(layers, position, backend)
        part = found or Part(fuse(layers[position], backend), (str(position),))
        yield part
        position += len(part.names)


def _match(layers: tuple[Layer, ...], position: int, backend: Backend) -> Part | None:
    """The fused form of the longest run that begins at `position`."""
    for kinds, cls in PATTERNS:
        here = layers[position : position + len(kinds)]
        if tuple(map(type, here)) == kinds and all(map(backend.implements, cls.ops)):
            made = cls.of(here, position)
            if made is not None:
                return Part(made, tuple(str(position + i) for i in range(len(kinds))))
    return None
