"""Softmax: positive shares that add up to one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from scratchnet.core.case import Case, Draw
from scratchnet.core.layer import Layer, layer, require, whole
from scratchnet.core.types import Array, Shape, Views

from ._reshaped import melted, reshaped

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """The output, as the op saw it: (A, C, B), with C the axis of the sum."""

    y: Array


@layer
class Softmax(Layer):
    """y_c = e^x_c / Σ e^x along one axis. Stable for every finite x.

    Shapes: any with at least one axis besides the batch; y is shaped like x.
    Derivative: dx = y·(dy - Σ dy·y).
    To train a classifier use SoftmaxCrossEntropy on logits: the two together are simpler and lose fewer digits.

    Args:
        axis: where the sum runs; the batch axis counts as 0, negative numbers count from the end.

    Raises:
        ConfigError: axis 0: the samples of a batch do not mix.
        ShapeError: the input has no such axis.
    """

    axis: int = 1

    def __post_init__(self) -> None:
        require(whole(self.axis, least=-math.inf), "axis is a whole number", actual=repr(self.axis))
        require(self.axis != 0, "the samples of a batch do not mix", actual="axis=0", hint="axis=1 or axis=-1")

    def out_shape(self, in_shape: Shape) -> Shape:
        """The input's."""
        melted((0, *in_shape), self.axis, self)
        return in_shape

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = e^x / Σ e^x."""
        shape = melted(x.shape, self.axis, self)  # (N, ..., C, ...) -> (A, C, B)
        y = run.empty(shape, x.dtype)
        k.softmax(reshaped(k, x, shape, run.scratch), y)
        return y.reshape(x.shape), Saved(y)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of y = e^x / Σ e^x: dx = y·(dy - Σ dy·y)."""
        if not run.need_dx:
            return None
        dx = run.empty(saved.y.shape, dy.dtype)
        k.softmax_backward(saved.y, reshaped(k, dy, dx.shape, run.scratch), dx)  # (N, ..., C, ...) -> (A, C, B)
        return dx.reshape(dy.shape)

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Every axis but the batch's, from either end."""
        shape = draw.one_of((5,), (3, 4), (2, 3, 4), (17,), (1, 6))
        axis = draw.integer(1, len(shape))
        axis = draw.one_of(axis, axis - len(shape) - 1)
        return Case(cls(axis), in_shape=shape, values=draw.one_of("normal", "ties", "large"))
