"""GELU: the input, weighted by its rank in a normal distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from scratchnet.core.case import Case, Draw
from scratchnet.core.layer import Layer, layer, require
from scratchnet.core.types import Array, Views

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """The input: the output does not determine it, because y(x) is not monotonic."""

    x: Array


@layer
class GELU(Layer):
    """y = x·Φ(x) with Φ(x) = (1 + erf(x/√2)) / 2, elementwise on any shape. Hendrycks and Gimpel 2016.

    Derivative: dx = dy·(Φ(x) + x·φ(x)) with φ(x) = e^(-x²/2) / √(2π).
    With approximate="tanh", y = x·(1 + tanh u)/2 with u = √(2/π)·(x + 0.044715·x³), and
    dx = dy·((1 + tanh u)/2 + x·(1 - tanh² u)/2·u'). The two differ by less than 5e-4.

    Args:
        approximate: "none" or "tanh", as in PyTorch.

    Raises:
        ConfigError: another name.
    """

    approximate: Literal["none", "tanh"] = "none"

    def __post_init__(self) -> None:
        require(self.approximate in ("none", "tanh"), "approximate is none or tanh", actual=repr(self.approximate))

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = x·Φ(x), or its approximation."""
        y = run.empty(x.shape, x.dtype)
        op = k.gelu if self.approximate == "none" else k.gelu_tanh
        op(x, y)
        return y, Saved(x)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of y = x·Φ(x): dx = dy·(Φ + x·φ). Of y = x·(1 + t)/2: dx = dy·((1 + t)/2 + x·(1 - t²)/2·u')."""
        if not run.need_dx:
            return None
        dx = run.empty(dy.shape, dy.dtype)
        op = k.gelu_backward if self.approximate == "none" else k.gelu_tanh_backward
        op(saved.x, dy, dx)
        return dx

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Both forms; values that saturate."""
        shape = draw.one_of((5,), (3, 4), (2, 3, 4), (17,))
        return Case(cls(draw.one_of("none", "tanh")), in_shape=shape, values=draw.one_of("normal", "ties", "large"))
