"""What the recurrent layers share: their weights, their shapes, and which states they put out."""

from __future__ import annotations

import math
from collections.abc import Mapping

from scratchnet.core.case import Case, Draw
from scratchnet.core.initializers import Uniform
from scratchnet.core.layer import Layer, ParamSpec, require, whole
from scratchnet.core.types import Array, Shape


class Recurrent(Layer):
    """A layer that walks along a sequence, (N, T, D) -> (N, T, H), with `gates` rows of H weights."""

    gates = 1
    hidden: int
    bias: bool
    reverse: bool
    last: bool

    def __post_init__(self) -> None:
        require(
            whole(self.hidden),
            f"{type(self).__name__}'s hidden is the number of units",
            expected="1 or more",
            actual=repr(self.hidden),
        )

    def params(self, in_shape: Shape) -> Mapping[str, ParamSpec]:
        """W_ih (gates·H, D) and W_hh (gates·H, H), and with a bias b_ih and b_hh (gates·H,)."""
        self.out_shape(in_shape)
        rows, start = self.gates * self.hidden, Uniform(1 / math.sqrt(self.hidden))
        shapes: dict[str, Shape] = {"W_ih": (rows, in_shape[1]), "W_hh": (rows, self.hidden)}
        if self.bias:
            shapes |= {"b_ih": (rows,), "b_hh": (rows,)}
        return {name: ParamSpec(shape, start) for name, shape in shapes.items()}

    def out_shape(self, in_shape: Shape) -> Shape:
        """(T, D) -> (T, H), or (H,) for the last state."""
        if len(in_shape) != 2:
            raise self.refuse("(N, T, features)", ("N", *in_shape))
        if in_shape[0] == 0:
            raise self.refuse("(N, T, features) with one time or more", ("N", *in_shape))
        return (self.hidden,) if self.last else (in_shape[0], self.hidden)

    def wanted(self, h: Array) -> Array:
        """Of all states (N, T, H): all, or (N, H) the one after the last step, which in reverse is at time 0."""
        return h[:, 0 if self.reverse else -1] if self.last else h

    def by_time(self, dy: Array) -> Array:
        """The cotangent as the ops take it: (N, T, H), or (N, 1, H) for the last state."""
        return dy[:, None] if self.last else dy


def draw_hidden(draw: Draw) -> int:
    """Two units or more: where all are saturated, a float32 1 - h² has no digits, and one unit easily is."""
    return draw.integer(2, 5)


def draw_case(layer: Recurrent, draw: Draw) -> Case:
    """Short sequences, one step among them, of one feature or more."""
    return Case(layer, in_shape=(draw.integer(1, 4), draw.integer(1, 5)))
