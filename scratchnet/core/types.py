"""The names for arrays, shapes and named views that the whole house uses, and what a NamedTuple of arrays is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Shape: TypeAlias = tuple[int, ...]
DType: TypeAlias = np.dtype[Any]

Leaves: TypeAlias = Any
"""What a layer takes: an array, or a NamedTuple of arrays, its leaves. Shapes, kinds and dx come in the same form."""


def structured(value: object) -> bool:
    """Whether the value is a NamedTuple of leaves, and not a leaf itself."""
    return isinstance(value, tuple) and hasattr(value, "_fields")


def map_leaves(function: Callable[..., Any], value: Leaves, *others: Any) -> Any:
    """function(value, *others) of a leaf; of a NamedTuple, the NamedTuple of what the function gives for each leaf.

    An `other` of the same kind of NamedTuple is walked along with it; anything else is handed to every leaf.
    """
    if not structured(value):
        return function(value, *others)
    columns = [other if type(other) is type(value) else (other,) * len(value) for other in others]
    return value._make(map(function, value, *columns))


def named_leaves(name: str, value: Leaves) -> dict[str, Any]:
    """The leaves by name: {"x": value}, or of a NamedTuple {"x.query": value.query, "x.memory": value.memory}."""
    if not structured(value):
        return {name: value}
    return {f"{name}.{field}": leaf for field, leaf in zip(value._fields, value, strict=True)}


def samples(x: Leaves) -> int:
    """How many samples x has: the length of its first leaf."""
    return len(x[0]) if structured(x) else len(x)


class Views(dict[str, Array]):
    """Named arrays: "W", or "body.0.W" seen from outside. `scope("body")` gives the names that begin with "body."."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._scopes: dict[str, Views] = {}

    def scope(self, name: str) -> Views:
        """The views of one child, under the child's own names. Made once, then remembered."""
        child = self._scopes.get(name)
        if child is None:
            prefix = name + "."
            child = Views({key[len(prefix) :]: view for key, view in self.items() if key.startswith(prefix)})
            self._scopes[name] = child
        return child
