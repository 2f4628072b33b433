"""ConvReLUPool: Conv2d, ReLU and MaxPool2d as one op. Networks put it in the place of the three; nobody writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, cast

import numpy as np

from scratchnet.core.case import Case, Draw
from scratchnet.core.fusion import Fused, fuses
from scratchnet.core.layer import Layer, layer
from scratchnet.core.types import Array, Leaves, Views

from .conv2d import Conv2d
from .max_pool2d import MaxPool2d
from .relu import ReLU

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """The input, and which element of each window won; the convolution's output need not be kept."""

    x: Array
    at: Array


@fuses(Conv2d, ReLU, MaxPool2d)
@layer
class ConvReLUPool(Fused):
    """y = maxpool(max(conv(x), 0)).

    Shapes: those of Conv2d and MaxPool2d, in a row.
    Derivative: dy goes to the element of the convolution's output that won its window, if that is positive, and from
    there through the convolution. A window whose largest element is 0 or less is dead and passes nothing.

    Args:
        conv: the convolution.
        pool: the pooling.
        first: the convolution's position in the Sequential; its parameters are called "<first>.W" and "<first>.b".
    """

    conv: Conv2d
    pool: MaxPool2d
    first: int = 0

    ops: ClassVar[tuple[str, ...]] = ("conv2d_relu_max_pool2d", "conv2d_relu_max_pool2d_backward")

    @classmethod
    def of(cls, layers: tuple[Layer, ...], first: int) -> Self:
        """Of (Conv2d, ReLU, MaxPool2d)."""
        conv, _, pool = layers
        return cls(cast(Conv2d, conv), cast(MaxPool2d, pool), first)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The three."""
        return self.conv, ReLU(), self.pool

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = maxpool(max(conv(x), 0)), at = where the winners lie in their windows."""
        made: tuple[Array, Saved] = run.call(str(self.first), self._forward, k, p, x)
        return made

    def _forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """The same under the convolution's name, which the parameters carry."""
        shape = (len(x), *self.out_shape(x.shape[1:]))  # (N, C, H, W) -> (N, out, PH, PW)
        settings = self._settings()
        y = run.empty(shape, x.dtype)
        at = run.empty(shape, np.uint8 if settings[4][0] * settings[4][1] <= 255 else np.int32)
        k.conv2d_relu_max_pool2d(x, p["W"], p.get("b"), y, at, *settings)
        return y, Saved(x, at)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Leaves:
        """Of y = a[the winner] where that is positive, a = conv(x): da[the winner] += dy, dW += Σ da · x, ..."""
        return run.call(str(self.first), self._backward, k, p, g, saved, dy, need_dx=run.need_dx)

    def _backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """The same under the convolution's name."""
        dx = run.empty(saved.x.shape, dy.dtype) if run.need_dx else None  # (N, out, PH, PW) -> (N, C, H, W)
        k.conv2d_relu_max_pool2d_backward(saved.x, p["W"], saved.at, dy, g["W"], g.get("b"), dx, *self._settings())
        return dx

    def _settings(self) -> tuple[Any, ...]:
        """Those of conv2d and of max_pool2d, as the op takes them."""
        return *self.conv._settings(), *self.pool._settings()

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """The usual 3 × 3 or 5 × 5 and 2 × 2 on odd and even sides; any convolution before any pooling; ties."""
        first, values = draw.integer(0, 3), draw.one_of("normal", "ties", "large")
        if draw.one_of(True, True, False):
            kernel = draw.one_of(3, 3, 5)
            conv = Conv2d(draw.integer(1, 5), kernel, padding=kernel // 2, bias=draw.one_of(True, False))
            shape = (draw.integer(1, 6), draw.integer(2, 7), draw.integer(2, 7))
            return Case(cls(conv, MaxPool2d(2), first), in_shape=shape, values=values)
        case = Conv2d.cases(draw)
        small = min(case.layer.out_shape(case.in_shape)[1:]) < 3
        pools = (
            (MaxPool2d(1), MaxPool2d(2, 1, 1))
            if small
            else (
                MaxPool2d(2),
                MaxPool2d(2, ceil_mode=True),
                MaxPool2d((2, 3), 1),
                MaxPool2d(3, 2, 1),
                MaxPool2d(2, 1, 0, 2),
            )
        )
        return Case(cls(case.layer, draw.one_of(*pools), first), in_shape=case.in_shape, values=values)
