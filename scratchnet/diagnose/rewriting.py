"""Layers rewritten: the same network with some of its layers exchanged."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any

from scratchnet.core.composite import Composite
from scratchnet.core.layer import Layer
from scratchnet.core.sequential import Sequential
from scratchnet.layers import Dropout, Flatten, ReLU, Reshape

from .depth import WEIGHTED

LINEAR = ("Dense", "Conv1d", "Conv2d", "ConvTranspose2d")
PASSES = (Flatten, Reshape, Dropout)
"""Layers that bend nothing: two linear ones with only these between them are one linear one."""


def rewritten(layer: Layer, change: Callable[[Layer], Layer]) -> Layer:
    """The layer after `change`, which has been at each of its children first."""
    if isinstance(layer, Sequential):
        layer = Sequential(*(rewritten(child, change) for child in layer.layers))
    elif isinstance(layer, Composite):
        known: Any = layer
        new: dict[str, Any] = {f.name: _inside(getattr(known, f.name), change) for f in fields(known)}
        layer = type(known)(**new)
    return change(layer)


def activated(layers: Iterable[Layer]) -> tuple[Layer, ...]:
    """The layers with a ReLU after each linear one that another with weights follows, nothing that bends between."""
    found: list[Layer] = []
    last: int | None = None  # where a ReLU belongs if something with weights comes next
    for layer in layers:
        kind = type(layer).__name__
        if kind in WEIGHTED and last is not None:
            found.insert(last, ReLU())
        found.append(layer)
        if kind in LINEAR:
            last = len(found)
        elif not isinstance(layer, PASSES):
            last = None
    return tuple(found)


def _inside(value: Any, change: Callable[[Layer], Layer]) -> Any:
    """A field of a composite: the layers in it are changed, all else stays."""
    if isinstance(value, Layer):
        return rewritten(value, change)
    if isinstance(value, tuple):
        return tuple(_inside(one, change) for one in value)
    return value
