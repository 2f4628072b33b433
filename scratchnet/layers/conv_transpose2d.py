"""ConvTranspose2d: a convolution run backwards, so that images grow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from scratchnet.core.case import Case, Draw
from scratchnet.core.initializers import HeNormal, Initializer, Zeros
from scratchnet.core.layer import Layer, ParamSpec, layer, require, whole
from scratchnet.core.types import Array, Shape, Views

from ._window import Pair, Size, one_size, pair, span

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """The backward needs the input: dW is a correlation with it."""

    x: Array


@layer
class ConvTranspose2d(Layer):
    """y[n, o, i·stride + u·dilation - padding, …] = b[o] + Σ W[c, o, u, v] · x[n, c, i, j], over all that meet there.

    Every x puts a window of W, times x, onto y. With A the convolution of the same W and settings that takes y's shape
    to x's, y = Aᵀ x + b: its forward is Conv2d's dx. It does not invert a convolution; it has the shapes of an inverse.
    (Zeiler et al. 2010, Deconvolutional Networks.)

    Shapes: x (N, C, H, W), W (C, out/groups, kh, kw), b (out,), y (N, out, OH, OW), laid out as in PyTorch.
        OH = (H - 1)·stride - 2·padding + dilation·(kh - 1) + output_padding + 1, and OW likewise.
    Derivative: dx = A dy, a convolution; db[o] = Σ dy[:, o];
        dW[c, o, u, v] = Σ_{n, i, j} x[n, c, i, j] · dy[n, o, i·stride + u·dilation - padding, …].
    W begins He-normal with fan_in as PyTorch counts it for this layout, out/groups·kh·kw: the number of terms in a dx.
    A y has about C/groups·kh·kw/stride² terms. Where those numbers differ much, what keeps the scale of signals is
    init=HeNormal("fan_out", gain=stride·√(2·groups)). b begins at zero.

    Args:
        out: number of output channels.
        kernel: the window's extent; here and below one number, or (height, width).
        stride: step on y from one window to the next.
        padding: how many rows and columns are cut off on every side.
        output_padding: rows and columns added at the end. A stride of s takes s heights of y to one H; this chooses
            among them, so it is less than the stride. (PyTorch also takes what is less than the dilation.)
        dilation: step from one element of the window to the next.
        groups: number of parts; each part of y is made of its own part of x.
        bias: whether there is a b.
        init: how W begins.

    Raises:
        ConfigError: a setting without meaning.
        ShapeError: where x is not (N, C, H, W), C is not divisible by groups, or nothing would be left of y.
    """

    out: int
    kernel: Size
    stride: Size = 1
    padding: Size = 0
    output_padding: Size = 0
    dilation: Size = 1
    groups: int = 1
    bias: bool = True
    init: Initializer = HeNormal()

    def __post_init__(self) -> None:
        for name in ("out", "groups"):
            size = getattr(self, name)
            require(whole(size), f"ConvTranspose2d's {name} is a whole number", expected="1 or more", actual=repr(size))
        require(
            self.out % self.groups == 0,
            "ConvTranspose2d cuts its output channels into equal groups",
            expected=f"out divisible by groups={self.groups}",
            actual=f"out={self.out}",
        )
        for name, least in (("kernel", 1), ("stride", 1), ("padding", 0), ("output_padding", 0), ("dilation", 1)):
            pair(getattr(self, name), f"ConvTranspose2d's {name}", least)
        more, stride = pair(self.output_padding, "output_padding", least=0), pair(self.stride, "stride")
        require(
            more[0] < stride[0] and more[1] < stride[1],
            "ConvTranspose2d's output_padding is less than its stride",
            expected=f"less than {self.stride}",
            actual=self.output_padding,
        )

    def params(self, in_shape: Shape) -> Mapping[str, ParamSpec]:
        """W, and b where there is a bias."""
        self.out_shape(in_shape)
        shape = (in_shape[0], self.out // self.groups, *pair(self.kernel, "kernel"))
        weight = {"W": ParamSpec(shape, self.init)}
        return weight | {"b": ParamSpec((self.out,), Zeros())} if self.bias else weight

    def out_shape(self, in_shape: Shape) -> Shape:
        """(C, H, W) -> (out, OH, OW)."""
        if len(in_shape) != 3:
            raise self.refuse("(N, C, H, W)", ("N", *in_shape))
        if in_shape[0] % self.groups:
            raise self.refuse(f"channels divisible by groups={self.groups}", f"{in_shape[0]} channels")
        kernel, more = pair(self.kernel, "kernel"), pair(self.output_padding, "output_padding", least=0)
        stride, padding, dilation, _ = self._settings()
        out = []
        for axis, extent in enumerate(in_shape[1:]):
            full = (extent - 1) * stride[axis] + span(kernel[axis], dilation[axis]) + more[axis]
            if extent < 1 or full - sum(padding[axis]) < 1:
                name = ("height", "width")[axis]
                raise self.refuse(
                    f"a {name} of which the padding leaves something",
                    f"{full} - {sum(padding[axis])}, from a {name} of {extent}",
                    hint="use less padding",
                )
            out.append(full - sum(padding[axis]))
        return (self.out, *out)

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = b + Σ W · x, every x going to the places under its window."""
        y = run.empty((len(x), *self.out_shape(x.shape[1:])), x.dtype)  # (N, C, H, W) -> (N, out, OH, OW)
        k.conv_transpose2d(x, p["W"], p.get("b"), y, *self._settings())
        return y, Saved(x)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of y = b + Σ W · x: dW += Σ x · dy, db += Σ dy, dx = Σ W · dy, each over the same pairs of pixels."""
        dx = run.empty(saved.x.shape, dy.dtype) if run.need_dx else None
        k.conv_transpose2d_backward(saved.x, p["W"], dy, g["W"], g.get("b"), dx, *self._settings())
        return dx

    def _settings(self) -> tuple[Pair, tuple[Pair, Pair], Pair, int]:
        """Stride, padding, dilation, groups, as the ops take them."""
        height, width = pair(self.padding, "padding", least=0)
        padding = (height, height), (width, width)
        return pair(self.stride, "stride"), padding, pair(self.dilation, "dilation"), self.groups

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Windows of unequal sides, strides above and below them, every output_padding, one to C groups."""
        groups = draw.one_of(1, 1, 2, 3)
        stride = pair(one_size(draw, 1, 2, (2, 1), (1, 3)), "stride")
        made = cls(
            groups * draw.integer(1, 3),
            one_size(draw, 1, 2, 3, (3, 2), (1, 3)),
            stride,
            padding=one_size(draw, 0, 1, (1, 0)),
            output_padding=(draw.integer(0, stride[0] - 1), draw.integer(0, stride[1] - 1)),
            dilation=one_size(draw, 1, 1, 2, (1, 2)),
            groups=groups,
            bias=draw.one_of(True, False),
        )
        return Case(made, in_shape=(groups * draw.integer(1, 2), draw.integer(3, 5), draw.integer(3, 4)))
