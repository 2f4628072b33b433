"""Layers made of layers. A composite names its children; their parameters nest under those names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from .layer import Layer, ParamSpec
from .types import Shape, Views


class Composite(Layer):
    """Base of layers made of layers. A child is called only through `run.call(name, ...)`."""

    def children(self) -> Iterable[tuple[str, Layer]]:
        """The children by name, in the order in which the forward visits them."""
        raise NotImplementedError

    def wiring(self, in_shape: Shape) -> Iterable[tuple[str, Layer, Shape]]:
        """(name, child, the child's input shape). Branches, unless a composite says otherwise: all see the input."""
        for name, child in self.children():
            yield name, child, in_shape

    @property
    def in_kind(self) -> Literal["float", "index"]:
        """That of the children which see the input."""
        for _, child in self.children():
            return child.in_kind
        return "float"

    def params(self, in_shape: Shape) -> Mapping[str, ParamSpec]:
        """The children's parameters, as "child.name"."""
        return {
            f"{name}.{key}": spec
            for name, child, shape in self.wiring(in_shape)
            for key, spec in child.params(shape).items()
        }

    def buffers(self, in_shape: Shape) -> Mapping[str, ParamSpec]:
        """The children's buffers, as "child.name"."""
        return {
            f"{name}.{key}": spec
            for name, child, shape in self.wiring(in_shape)
            for key, spec in child.buffers(shape).items()
        }


def trains(g: Views, name: str) -> bool:
    """Whether the child has parameters, seen from the composite's gradients."""
    return bool(g.scope(name))
