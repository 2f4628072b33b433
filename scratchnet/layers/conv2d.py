"""Conv2d: one small window of weights, applied at every place of an image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

from scratchnet.core.case import Case, Draw
from scratchnet.core.initializers import HeNormal, Initializer, Zeros
from scratchnet.core.layer import Layer, ParamSpec, layer, require, whole
from scratchnet.core.types import Array, Shape, Views

from ._window import Pair, Size, one_size, pair, places, span, too_large

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable

Pads = tuple[Pair, Pair]  # ((top, bottom), (left, right))


class Saved(NamedTuple):
    """The backward needs the input: dW is a correlation with it."""

    x: Array


@layer
class Conv2d(Layer):
    """y[n, o, i, j] = b[o] + Σ_{c, u, v} W[o, c, u, v] · x[n, c, i·stride + u·dilation, j·stride + v·dilation].

    A cross-correlation: the window is not flipped. x stands for the input with `padding` zeros around it. With groups,
    outputs and channels are cut into as many equal parts, and each part of y sees its own part of x.

    Shapes: x (N, C, H, W), W (out, C/groups, kh, kw), b (out,), y (N, out, OH, OW), laid out as in PyTorch.
        OH = floor((H + top + bottom - dilation·(kh - 1) - 1) / stride) + 1, and OW likewise.
    Derivative: dW[o, c, u, v] = Σ_{n, i, j} dy[n, o, i, j] · x[n, c, i·stride + u·dilation, …], db[o] = Σ dy[:, o],
        and dx is the transposed convolution: every dy[n, o, i, j] goes back to the pixels it came from, times W.
    W begins He-normal (fan_in), which keeps the scale of signals through ReLU; b begins at zero.

    Args:
        out: number of output channels.
        kernel: the window's extent; here and below one number, or (height, width).
        stride: step from one place to the next.
        padding: zeros on every side; "valid" for none; "same" for as many as keep H and W, which needs stride 1 (where
            their number is odd, the additional one lies at the end: PyTorch's rule).
        dilation: step from one element of the window to the next.
        groups: number of parts, 1 for an ordinary convolution, C for a depthwise one.
        bias: whether there is a b.
        init: how W begins.

    Raises:
        ConfigError: a setting without meaning.
        ShapeError: where x is not (N, C, H, W), C is not divisible by groups, or the window exceeds the padded input.
    """

    out: int
    kernel: Size
    stride: Size = 1
    padding: Size | Literal["same", "valid"] = 0
    dilation: Size = 1
    groups: int = 1
    bias: bool = True
    init: Initializer = HeNormal()

    def __post_init__(self) -> None:
        require(whole(self.out), "Conv2d's out is a whole number, 1 or more", actual=repr(self.out))
        require(whole(self.groups), "Conv2d's groups is a whole number, 1 or more", actual=repr(self.groups))
        require(
            self.out % self.groups == 0,
            "Conv2d cuts its output channels into equal groups",
            expected=f"out divisible by groups={self.groups}",
            actual=f"out={self.out}",
        )
        pair(self.kernel, "Conv2d's kernel")
        pair(self.dilation, "Conv2d's dilation")
        stride = pair(self.stride, "Conv2d's stride")
        if isinstance(self.padding, str):
            require(
                self.padding in ("same", "valid"),
                "unknown padding",
                expected='a number, a pair, "same" or "valid"',
                actual=repr(self.padding),
            )
            require(
                self.padding == "valid" or stride == (1, 1),
                'padding="same" keeps H and W only under stride 1',
                actual=f"stride={self.stride}",
                hint="give the padding as a number",
            )
        else:
            pair(self.padding, "Conv2d's padding", least=0)

    @property
    def pads(self) -> Pads:
        """Zeros around the input: ((top, bottom), (left, right))."""
        if self.padding == "valid":
            return (0, 0), (0, 0)
        if self.padding == "same":
            kernel, dilation = pair(self.kernel, "kernel"), pair(self.dilation, "dilation")
            height, width = (span(k, d) - 1 for k, d in zip(kernel, dilation, strict=True))
            return (height // 2, height - height // 2), (width // 2, width - width // 2)
        height, width = pair(self.padding, "padding", least=0)
        return (height, height), (width, width)

    def params(self, in_shape: Shape) -> Mapping[str, ParamSpec]:
        """W, and b where there is a bias."""
        self.out_shape(in_shape)
        shape = (self.out, in_shape[0] // self.groups, *pair(self.kernel, "kernel"))
        weight = {"W": ParamSpec(shape, self.init)}
        return weight | {"b": ParamSpec((self.out,), Zeros())} if self.bias else weight

    def out_shape(self, in_shape: Shape) -> Shape:
        """(C, H, W) -> (out, OH, OW)."""
        if len(in_shape) != 3:
            raise self.refuse("(N, C, H, W)", ("N", *in_shape))
        if in_shape[0] % self.groups:
            raise self.refuse(f"channels divisible by groups={self.groups}", f"{in_shape[0]} channels")
        kernel, stride, dilation = (
            pair(self.kernel, "kernel"),
            pair(self.stride, "stride"),
            pair(self.dilation, "dilation"),
        )
        out = []
        for axis, ((before, after), extent) in enumerate(zip(self.pads, in_shape[1:], strict=True)):
            reach = span(kernel[axis], dilation[axis])
            if reach > extent + before + after:
                raise too_large(self, axis, reach, extent, before, after)
            out.append(places(extent, kernel[axis], stride[axis], before, after, dilation[axis]))
        return (self.out, *out)

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = b + Σ W · x, at every place of the window."""
        y = run.empty((len(x), *self.out_shape(x.shape[1:])), x.dtype)  # (N, C, H, W) -> (N, out, OH, OW)
        k.conv2d(x, p["W"], p.get("b"), y, *self._settings())
        return y, Saved(x)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of y = b + Σ W · x: dW += Σ dy · x, db += Σ dy, dx = Σ dy · W, each over the same pairs of pixels."""
        dx = run.empty(saved.x.shape, dy.dtype) if run.need_dx else None
        k.conv2d_backward(saved.x, p["W"], dy, g["W"], g.get("b"), dx, *self._settings())
        return dx

    def _settings(self) -> tuple[Pair, Pads, Pair, int]:
        """Stride, padding, dilation, groups, as the ops take them."""
        return pair(self.stride, "stride"), self.pads, pair(self.dilation, "dilation"), self.groups

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Windows of unequal sides, every kind of padding, strides that leave a rest, one to C groups."""
        groups = draw.one_of(1, 1, 2, 3)
        padding: Size | Literal["same", "valid"] = draw.one_of(0, 1, (2, 1), "same", "same", "valid")
        # "same" puts more on one side where the kernel is even
        sizes: tuple[Size, ...] = (2, 3, (4, 2)) if padding == "same" else (1, 2, 3, (3, 2), (1, 3))
        kernel = one_size(draw, *sizes)
        stride = one_size(draw, 1, 2, (2, 1), (1, 3))
        dilation = one_size(draw, 1, 1, 2, (1, 2))
        made = cls(
            groups * draw.integer(1, 3),
            kernel,
            stride=1 if padding == "same" else stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            bias=draw.one_of(True, False),
        )
        return Case(made, in_shape=(groups * draw.integer(1, 2), draw.integer(5, 7), draw.integer(5, 8)))
