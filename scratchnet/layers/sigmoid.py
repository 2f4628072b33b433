"""Sigmoid: squash to (0, 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scratchnet.core.case import Case, Draw
from scratchnet.core.layer import Layer, layer
from scratchnet.core.types import Array, Views

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """The output: the derivative is a polynomial in it."""

    y: Array


@layer
class Sigmoid(Layer):
    """y = 1 / (1 + e⁻ˣ), elementwise on any shape. No x overflows.

    Derivative: dx = dy·y(1 - y).
    """

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = 1 / (1 + e⁻ˣ)."""
        y = run.empty(x.shape, x.dtype)
        k.sigmoid(x, y)
        return y, Saved(y)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of y = 1 / (1 + e⁻ˣ): dx = dy·y(1 - y)."""
        if not run.need_dx:
            return None
        dx = run.empty(dy.shape, dy.dtype)
        k.sigmoid_backward(saved.y, dy, dx)
        return dx

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Any shape; values that saturate."""
        shape = draw.one_of((5,), (3, 4), (2, 3, 4), (17,))
        return Case(cls(), in_shape=shape, values=draw.one_of("normal", "ties", "large"))
