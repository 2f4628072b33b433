"""ELU: linear above zero, saturating below."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scratchnet.core.case import Case, Draw
from scratchnet.core.layer import Layer, layer
from scratchnet.core.types import Array, Views

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """The input: its sign says which branch was taken."""

    x: Array


@layer
class ELU(Layer):
    """y = x where x > 0, else α(eˣ - 1), elementwise on any shape. Clevert, Unterthiner, Hochreiter 2016.

    Derivative: dx = dy where x > 0, else dy·α·eˣ; so at x = 0 it is α, as in PyTorch.

    Args:
        alpha: α, minus the value that large negative inputs approach.
    """

    alpha: float = 1.0

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = x where x > 0, else α(eˣ - 1)."""
        y = run.empty(x.shape, x.dtype)
        k.elu(x, y, self.alpha)
        return y, Saved(x)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of y = x where x > 0, else α(eˣ - 1): dx = dy or dy·α·eˣ."""
        if not run.need_dx:
            return None
        dx = run.empty(dy.shape, dy.dtype)
        k.elu_backward(saved.x, dy, dx, self.alpha)
        return dx

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Smooth at 0 (α = 1) and with a kink; values that hit it."""
        shape = draw.one_of((5,), (3, 4), (2, 3, 4), (17,))
        return Case(cls(draw.one_of(1.0, 0.5, 2.0)), in_shape=shape, values=draw.one_of("normal", "ties", "large"))
