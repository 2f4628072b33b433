"""Dense: every output is a weighted sum of all inputs. The file to read first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from scratchnet.core.case import Case, Draw
from scratchnet.core.initializers import HeNormal, Initializer, Zeros
from scratchnet.core.layer import Layer, ParamSpec, layer, require, whole
from scratchnet.core.types import Array, Shape, Views

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """The backward needs the input: dW is a product with it."""

    x: Array


@layer
class Dense(Layer):
    """y = x Wᵀ + b.

    Shapes: x (N, in), W (out, in), b (out,), y (N, out). W and b are laid out as PyTorch's Linear lays them out.
    Derivative: dx = dy W, dW = dyᵀ x, db = Σₙ dy[n].
    W begins He-normal (fan_in), which keeps the scale of signals through ReLU; b begins at zero.

    Args:
        out: number of outputs.
        bias: whether there is a b.
        init: how W begins.

    Raises:
        ShapeError: where x has more than one axis besides the batch.
    """

    out: int
    bias: bool = True
    init: Initializer = HeNormal()

    def __post_init__(self) -> None:
        require(whole(self.out), "Dense's out is a whole number, 1 or more", actual=repr(self.out))

    def params(self, in_shape: Shape) -> Mapping[str, ParamSpec]:
        """W, and b where there is a bias."""
        self.out_shape(in_shape)
        weight = {"W": ParamSpec((self.out, in_shape[0]), self.init)}
        return weight | {"b": ParamSpec((self.out,), Zeros())} if self.bias else weight

    def out_shape(self, in_shape: Shape) -> Shape:
        """(in,) -> (out,)."""
        if len(in_shape) != 1:
            raise self.refuse("(N, features)", ("N", *in_shape), hint="put Flatten() before it")
        return (self.out,)

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = x Wᵀ + b."""
        y = run.empty((len(x), self.out), x.dtype)  # (N, in) -> (N, out)
        k.dense(x, p["W"], p.get("b"), y)
        return y, Saved(x)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of y = x Wᵀ + b: dW += dyᵀ x, db += Σₙ dy, dx = dy W."""
        dx = run.empty(saved.x.shape, dy.dtype) if run.need_dx else None
        k.dense_backward(saved.x, p["W"], dy, g["W"], g.get("b"), dx)
        return dx

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Wide and narrow, with and without bias."""
        return Case(cls(draw.integer(1, 9), bias=draw.one_of(True, False)), in_shape=(draw.integer(1, 11),))
