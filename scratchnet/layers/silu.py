"""SiLU, also called swish: the input, gated by its own sigmoid."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scratchnet.core.case import Case, Draw
from scratchnet.core.layer import Layer, layer
from scratchnet.core.types import Array, Views

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """The input: the output does not determine it, because y(x) is not monotonic."""

    x: Array


@layer
class SiLU(Layer):
    """y = x·σ(x) with σ(x) = 1 / (1 + e⁻ˣ), elementwise on any shape.

    Derivative: dx = dy·σ(x)·(1 + x(1 - σ(x))).
    Hendrycks and Gimpel 2016; Ramachandran, Zoph, Le 2017.
    """

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = x·σ(x)."""
        y = run.empty(x.shape, x.dtype)
        k.silu(x, y)
        return y, Saved(x)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of y = x·σ(x): dx = dy·σ(1 + x(1 - σ))."""
        if not run.need_dx:
            return None
        dx = run.empty(dy.shape, dy.dtype)
        k.silu_backward(saved.x, dy, dx)
        return dx

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Any shape; values that saturate."""
        shape = draw.one_of((5,), (3, 4), (2, 3, 4), (17,))
        return Case(cls(), in_shape=shape, values=draw.one_of("normal", "ties", "large"))
