"""ReLU: let the positive through."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scratchnet.core.case import Case, Draw
from scratchnet.core.layer import Layer, layer
from scratchnet.core.types import Array, Views

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """The output tells where the input was positive, so the input need not be kept."""

    y: Array


@layer
class ReLU(Layer):
    """y = max(x, 0), elementwise on any shape.

    Derivative: dx = dy where x > 0, else 0. At the kink x = 0 the subgradient 0 is taken, as in PyTorch.
    """

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = max(x, 0)."""
        y = run.empty(x.shape, x.dtype)
        k.relu(x, y)
        return y, Saved(y)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of y = max(x, 0): dx = dy where y > 0."""
        if not run.need_dx:
            return None
        dx = run.empty(dy.shape, dy.dtype)
        k.relu_backward(saved.y, dy, dx)
        return dx

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Any shape; values that hit the kink."""
        shape = draw.one_of((5,), (3, 4), (2, 3, 4), (17,))
        return Case(cls(), in_shape=shape, values=draw.one_of("normal", "ties", "large"))
