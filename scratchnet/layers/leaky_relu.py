"""Leaky ReLU: let the positive through, and a little of the negative."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scratchnet.core.case import Case, Draw
from scratchnet.core.layer import Layer, layer
from scratchnet.core.types import Array, Views

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """The input: its sign says which branch was taken, and the output tells that only where slope > 0."""

    x: Array


@layer
class LeakyReLU(Layer):
    """y = x where x > 0, else slope·x, elementwise on any shape. Maas, Hannun, Ng 2013.

    Derivative: dx = dy where x > 0, else slope·dy; so at the kink x = 0 it is the slope, as in PyTorch.

    Args:
        slope: what is left of the negative side; any number, 0.01 as in PyTorch.
    """

    slope: float = 0.01

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = x where x > 0, else slope·x."""
        y = run.empty(x.shape, x.dtype)
        k.leaky_relu(x, y, self.slope)
        return y, Saved(x)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of y = x where x > 0, else slope·x: dx = dy or slope·dy."""
        if not run.need_dx:
            return None
        dx = run.empty(dy.shape, dy.dtype)
        k.leaky_relu_backward(saved.x, dy, dx, self.slope)
        return dx

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Slopes of either sign; values that hit the kink."""
        shape = draw.one_of((5,), (3, 4), (2, 3, 4), (17,))
        return Case(cls(draw.one_of(0.01, 0.25, -0.5)), in_shape=shape, values=draw.one_of("normal", "ties", "large"))
