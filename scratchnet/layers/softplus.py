"""Softplus: a ReLU without the kink."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scratchnet.core.case import Case, Draw
from scratchnet.core.layer import Layer, layer, require
from scratchnet.core.types import Array, Views

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """The input: it says which branch was taken."""

    x: Array


@layer
class Softplus(Layer):
    """y = ln(1 + e^(βx)) / β, elementwise on any shape; where βx > threshold, y = x.

    Derivative: dx = dy·σ(βx) with σ(t) = 1 / (1 + e⁻ᵗ); where βx > threshold, dx = dy. Dugas et al. 2001.
    The threshold is PyTorch's. Neither branch needs it here: the formula is stable without.

    Args:
        beta: β > 0: how sharp the bend is.
        threshold: above it y = x; the default changes y by less than e⁻²⁰/β.

    Raises:
        ConfigError: β is not positive.
    """

    beta: float = 1.0
    threshold: float = 20.0

    def __post_init__(self) -> None:
        require(self.beta > 0, "Softplus needs a positive beta", actual=self.beta)

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = ln(1 + e^(βx)) / β, or x."""
        y = run.empty(x.shape, x.dtype)
        k.softplus(x, y, self.beta, self.threshold)
        return y, Saved(x)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of y = ln(1 + e^(βx)) / β: dx = dy·σ(βx). Of y = x: dx = dy."""
        if not run.need_dx:
            return None
        dx = run.empty(dy.shape, dy.dtype)
        k.softplus_backward(saved.x, dy, dx, self.beta, self.threshold)
        return dx

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Values on either side of the threshold, and none on it: y jumps there."""
        shape = draw.one_of((5,), (3, 4), (2, 3, 4), (17,))
        return Case(
            cls(draw.one_of(1.0, 0.5, 2.0), draw.one_of(20.0, 2.7)),
            in_shape=shape,
            values=draw.one_of("normal", "ties", "large"),
        )
