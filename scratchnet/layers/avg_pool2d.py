"""AvgPool2d: the mean of each window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from scratchnet.core.case import Case, Draw
from scratchnet.core.layer import Layer, layer
from scratchnet.core.types import Array, Shape, Views

from ._window import Pair, Size, check_pool, one_padding, one_size, pair, pool_shape

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """How large the input was: the mean is linear, so no values are needed."""

    image: Pair


@layer
class AvgPool2d(Layer):
    """y[n, c, i, j] = Σ_{u, v} x[n, c, i·stride + u - padding, j·stride + v - padding] / count[i, j].

    x is zero in the padding. count is kh·kw, less what a window has beyond the padding (which happens in ceil mode);
    without `count_include_pad` it is the number of the window's elements inside the image.

    Shapes: x (N, C, H, W), y (N, C, OH, OW), with OH and OW as in MaxPool2d.
    Derivative: dx[n, c, h, w] = Σ dy[n, c, i, j] / count[i, j] over the windows that see (h, w).
    Semantics are those of PyTorch.

    Args:
        window: its extent; here and below one number, or (height, width).
        stride: step from one window to the next; the window's extent if None.
        padding: zeros on every side, at most half the window.
        ceil_mode: round the number of windows up.
        count_include_pad: whether padding counts as elements.

    Raises:
        ConfigError: a setting without meaning.
        ShapeError: where x is not (N, C, H, W), or the window exceeds the padded input.
    """

    window: Size
    stride: Size | None = None
    padding: Size = 0
    ceil_mode: bool = False
    count_include_pad: bool = True

    def __post_init__(self) -> None:
        check_pool(self, self.window, self.stride, self.padding)

    def out_shape(self, in_shape: Shape) -> Shape:
        """(C, H, W) -> (C, OH, OW)."""
        window, stride, padding, _ = self._settings()
        return pool_shape(self, in_shape, window, stride, padding, (1, 1), self.ceil_mode)

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = Σ x / count, over each window."""
        y = run.empty((len(x), *self.out_shape(x.shape[1:])), x.dtype)  # (N, C, H, W) -> (N, C, OH, OW)
        k.avg_pool2d(x, y, *self._settings())
        return y, Saved((x.shape[2], x.shape[3]))

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of y = Σ x / count: dx = Σ dy / count, over the windows that see an element."""
        if not run.need_dx:
            return None
        dx = run.empty((*dy.shape[:2], *saved.image), dy.dtype)  # (N, C, OH, OW) -> (N, C, H, W)
        k.avg_pool2d_backward(dy, dx, *self._settings())
        return dx

    def _settings(self) -> Any:
        """Window, stride, padding, count_include_pad, as the ops take them."""
        window = pair(self.window, "window")
        stride = window if self.stride is None else pair(self.stride, "stride")
        return window, stride, pair(self.padding, "padding", 0), self.count_include_pad

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Windows apart, side by side and overlapping, larger than the image; rests dropped and kept; both counts."""
        window = one_size(draw, 1, 2, 3, (2, 3), (3, 1), 5, 7)
        stride: Size | None = 1 if window == 7 else draw.one_of(None, 1, 2, (3, 1))
        made = cls(
            window,
            stride=stride,
            padding=one_padding(draw, window),
            ceil_mode=draw.one_of(True, False),
            count_include_pad=draw.one_of(True, False),
        )
        small = made.padding in (1, 2, 3) and window in (3, 5, 7) and draw.one_of(False, False, True)
        sides = (1, 3, 1, 3) if small else (5, 7, 5, 8)
        return Case(made, in_shape=(draw.integer(1, 3), draw.integer(*sides[:2]), draw.integer(*sides[2:])))
