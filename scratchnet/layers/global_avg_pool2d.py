"""GlobalAvgPool2d: one number a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scratchnet.core.case import Case, Draw
from scratchnet.core.layer import Layer, layer
from scratchnet.core.types import Array, Shape, Views

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """The input's shape: the mean is linear, so no values are needed."""

    shape: Shape


@layer
class GlobalAvgPool2d(Layer):
    """y[n, c] = Σ_{h, w} x[n, c, h, w] / (H·W): PyTorch's AdaptiveAvgPool2d(1), flattened (Lin et al. 2014).

    Shapes: x (N, C, H, W), y (N, C).
    Derivative: dx[n, c, h, w] = dy[n, c] / (H·W).

    Raises:
        ShapeError: where x is not (N, C, H, W).
    """

    def out_shape(self, in_shape: Shape) -> Shape:
        """(C, H, W) -> (C,)."""
        if len(in_shape) != 3:
            raise self.refuse("(N, C, H, W)", ("N", *in_shape))
        return in_shape[:1]

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = Σ x / (H·W)."""
        y = run.empty(x.shape[:2], x.dtype)  # (N, C, H, W) -> (N, C)
        k.global_avg_pool2d(x, y)
        return y, Saved(x.shape)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of y = Σ x / (H·W): dx = dy / (H·W) everywhere."""
        if not run.need_dx:
            return None
        dx = run.empty((len(dy), *saved.shape[1:]), dy.dtype)  # (N, C) -> (N, C, H, W)
        k.global_avg_pool2d_backward(dy, dx)
        return dx

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Images of one pixel and more."""
        return Case(cls(), in_shape=(draw.integer(1, 4), draw.integer(1, 5), draw.integer(1, 6)))
