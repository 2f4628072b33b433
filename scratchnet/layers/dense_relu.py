"""DenseReLU: Dense and ReLU as one op. Networks put it in the place of the two; nobody writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self, cast

from scratchnet.core.case import Case, Draw
from scratchnet.core.fusion import Fused, fuses
from scratchnet.core.layer import Layer, layer
from scratchnet.core.types import Array, Leaves, Views

from .dense import Dense
from .relu import ReLU

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """The input, as Dense keeps it, and the output, as ReLU does; what lies between them need not be kept."""

    x: Array
    y: Array


@fuses(Dense, ReLU)
@layer
class DenseReLU(Fused):
    """y = max(x Wᵀ + b, 0).

    Shapes: those of Dense.
    Derivative: that of Dense with da in the place of dy, where da = dy where y > 0, else 0.

    Args:
        dense: the layer of weights.
        first: its position in the Sequential; its parameters are called "<first>.W" and "<first>.b".
    """

    dense: Dense
    first: int = 0

    ops: ClassVar[tuple[str, ...]] = ("dense_relu", "dense_relu_backward")

    @classmethod
    def of(cls, layers: tuple[Layer, ...], first: int) -> Self:
        """Of (Dense, ReLU)."""
        return cls(cast(Dense, layers[0]), first)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The two."""
        return self.dense, ReLU()

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = max(x Wᵀ + b, 0)."""
        made: tuple[Array, Saved] = run.call(str(self.first), self._forward, k, p, x)
        return made

    def _forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """The same under Dense's name, which the parameters carry."""
        y = run.empty((len(x), self.dense.out), x.dtype)  # (N, in) -> (N, out)
        k.dense_relu(x, p["W"], p.get("b"), y)
        return y, Saved(x, y)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Leaves:
        """Of y = max(a, 0), a = x Wᵀ + b: da = dy where y > 0, dW += daᵀ x, db += Σₙ da, dx = da W."""
        return run.call(str(self.first), self._backward, k, p, g, saved, dy, need_dx=run.need_dx)

    def _backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """The same under Dense's name."""
        dx = run.empty(saved.x.shape, dy.dtype) if run.need_dx else None  # (N, out) -> (N, in)
        k.dense_relu_backward(saved.x, p["W"], saved.y, dy, g["W"], g.get("b"), dx)
        return dx

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Wide and narrow, with and without bias; values that hit the kink."""
        dense = Dense(draw.integer(1, 9), bias=draw.one_of(True, False))
        values = draw.one_of("normal", "ties", "large")
        return Case(cls(dense, draw.integer(0, 3)), in_shape=(draw.integer(1, 11),), values=values)
