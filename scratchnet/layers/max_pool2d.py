"""MaxPool2d: keep the largest element of each window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from scratchnet.core.case import Case, Draw
from scratchnet.core.layer import Layer, layer
from scratchnet.core.types import Array, Shape, Views

from ._window import Pair, Size, check_pool, one_padding, one_size, pair, pool_shape, span

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """Which element of each window won, and how large the input was. The input itself is not needed."""

    at: Array
    image: Pair


@layer
class MaxPool2d(Layer):
    """y[n, c, i, j] = max_{u, v} x[n, c, i·stride + u·dilation - padding, j·stride + v·dilation - padding].

    The maximum is taken over the elements inside the image: padding never wins. NaN wins against numbers.

    Shapes: x (N, C, H, W), y (N, C, OH, OW) with
        OH = floor((H + 2·padding - dilation·(kh - 1) - 1) / stride) + 1, and OW likewise. `ceil_mode` rounds up, so
        that the last window may reach beyond the padding, and drops it if it does not begin inside the image or the
        padding before it.
    Derivative: dy goes to the element that won, and adds up where windows overlap. Of several largest the first wins,
        row by row; of several NaN the last. Semantics and ties are those of PyTorch.

    Args:
        window: its extent; here and below one number, or (height, width).
        stride: step from one window to the next; the window's extent if None.
        padding: on every side, at most half the window.
        dilation: step from one element of the window to the next.
        ceil_mode: round the number of windows up.

    Raises:
        ConfigError: a setting without meaning.
        ShapeError: where x is not (N, C, H, W), the window exceeds the padded input, or one would see only padding.
    """

    window: Size
    stride: Size | None = None
    padding: Size = 0
    dilation: Size = 1
    ceil_mode: bool = False

    def __post_init__(self) -> None:
        check_pool(self, self.window, self.stride, self.padding)
        pair(self.dilation, "MaxPool2d's dilation")

    def out_shape(self, in_shape: Shape) -> Shape:
        """(C, H, W) -> (C, OH, OW)."""
        window, stride, padding, dilation = self._settings()
        out = pool_shape(self, in_shape, window, stride, padding, dilation, self.ceil_mode)
        for axis, extent in enumerate(in_shape[1:]):
            begins = range(-padding[axis], min(0, stride[axis] * out[1 + axis] - padding[axis]), stride[axis])
            reaches = range(0, span(window[axis], dilation[axis]), dilation[axis])
            # only elements farther apart than the image is large can step over it
            if dilation[axis] > extent and not all(any(0 <= b + r < extent for r in reaches) for b in begins):
                name = ("height", "width")[axis]
                raise self.refuse(
                    f"a {name} of at least the dilation, {dilation[axis]}",
                    f"{name} {extent}",
                    hint="use less dilation or no padding: here a window steps over the image and sees only padding",
                )
        return out

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = the largest of each window; at = where it lies in it."""
        shape = (len(x), *self.out_shape(x.shape[1:]))  # (N, C, H, W) -> (N, C, OH, OW)
        settings = self._settings()
        y = run.empty(shape, x.dtype)
        at = run.empty(shape, np.uint8 if settings[0][0] * settings[0][1] <= 255 else np.int32)
        k.max_pool2d(x, y, at, *settings)
        return y, Saved(at, (x.shape[2], x.shape[3]))

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of y = x[the winner]: dx[the winner] += dy."""
        if not run.need_dx:
            return None
        dx = run.empty((*dy.shape[:2], *saved.image), dy.dtype)  # (N, C, OH, OW) -> (N, C, H, W)
        k.max_pool2d_backward(saved.at, dy, dx, *self._settings())
        return dx

    def _settings(self) -> Any:
        """Window, stride, padding, dilation, as the ops take them."""
        window = pair(self.window, "window")
        stride = window if self.stride is None else pair(self.stride, "stride")
        return window, stride, pair(self.padding, "padding", 0), pair(self.dilation, "dilation")

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Windows apart, side by side and overlapping, larger than the image; rests dropped and kept; ties."""
        window = one_size(draw, 1, 2, 3, (2, 3), (3, 1), 5, 7)
        stride: Size | None = 1 if window == 7 else draw.one_of(None, 1, 2, (3, 1))
        made = cls(
            window,
            stride=stride,
            padding=one_padding(draw, window),
            dilation=one_size(draw, 1, 1, 2, (1, 2)),
            ceil_mode=draw.one_of(True, False),
        )
        small = made.padding in (1, 2, 3) and made.dilation == 1 and draw.one_of(False, False, True)
        wide = window in (5, 7) and made.dilation != 1  # reaches 9 or 13 far
        sides = (1, 3, 1, 3) if small and window in (3, 5, 7) else (9, 10, 9, 11) if wide else (5, 7, 5, 8)
        shape = (draw.integer(1, 3), draw.integer(*sides[:2]), draw.integer(*sides[2:]))
        return Case(made, in_shape=shape, values=draw.one_of("normal", "ties", "large"))
