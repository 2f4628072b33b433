"""Flatten: all axes but the batch in one, for a Dense layer to come."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from scratchnet.core.case import Case, Draw
from scratchnet.core.layer import Layer, layer
from scratchnet.core.types import Array, Shape, Views

from ._reshaped import reshaped

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """The input's shape."""

    shape: Shape


@layer
class Flatten(Layer):
    """y = x as (N, D), D the product of all extents but the batch's. A view of x where the memory allows.

    Derivative: dx = dy in the shape of x.
    """

    def out_shape(self, in_shape: Shape) -> Shape:
        """(a, b, ...) -> (a·b·...,)."""
        return (math.prod(in_shape),)

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = x, reshaped."""
        return reshaped(k, x, (len(x), *self.out_shape(x.shape[1:])), run.empty), Saved(x.shape)  # (N, ...) -> (N, D)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of y = x, reshaped: dx = dy, reshaped back."""
        return reshaped(k, dy, saved.shape, run.empty) if run.need_dx else None  # (N, D) -> (N, ...)

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Up to three axes, and none."""
        return Case(cls(), in_shape=draw.one_of((5,), (3, 4), (2, 3, 4), (1, 5, 1), ()))
