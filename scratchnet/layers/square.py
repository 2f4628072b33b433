"""Square: the simplest layer that is not linear."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scratchnet.core.case import Case, Draw
from scratchnet.core.layer import Layer, layer
from scratchnet.core.types import Array, Views

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """The input: the output has lost its sign."""

    x: Array


@layer
class Square(Layer):
    """y = x², elementwise on any shape.

    Derivative: dx = 2x·dy.
    """

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = x²."""
        y = run.empty(x.shape, x.dtype)
        k.square(x, y)
        return y, Saved(x)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of y = x²: dx = 2x·dy."""
        if not run.need_dx:
            return None
        dx = run.empty(dy.shape, dy.dtype)
        k.square_backward(saved.x, dy, dx)
        return dx

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Any shape."""
        shape = draw.one_of((5,), (3, 4), (2, 3, 4), (17,))
        return Case(cls(), in_shape=shape, values=draw.one_of("normal", "ties", "large"))
