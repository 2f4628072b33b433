"""Layers made of layers. A composite names its children; their parameters nest under those names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .layer import Layer, ParamSpec
from .types import Leaves, Shape, Views, map_leaves

if TYPE_CHECKING:
    from scratchnet_kernels import OpTable

    from .run import Run


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
    def in_kind(self) -> Leaves:
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


def summed(k: OpTable, terms: Sequence[Leaves], run: Run) -> Leaves:
    """The sum of what branches return, leaf by leaf, in arrays of its own; one term alone is returned as it is."""
    if len(terms) == 1:
        return terms[0]

    def of_leaf(first: Any, second: Any, *rest: Any) -> Any:
        if first is None:  # whole numbers have no gradient
            return None
        y = run.empty(first.shape, first.dtype)
        k.add(first, second, y)
        for term in rest:
            k.add(y, term, y)
        return y

    return map_leaves(of_leaf, *terms)
