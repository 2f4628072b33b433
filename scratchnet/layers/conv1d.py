"""Conv1d: one short window of weights, applied at every place of a sequence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

from scratchnet.core.case import Case, Draw
from scratchnet.core.initializers import HeNormal, Initializer, Zeros
from scratchnet.core.layer import Layer, ParamSpec, layer, require, whole
from scratchnet.core.types import Array, Shape, Views

from ._window import Pair, places, span, too_large

if TYPE_CHECKING:
    from scratchnet.core.run import Run
    from scratchnet_kernels import OpTable


class Saved(NamedTuple):
    """The backward needs the input: dW is a correlation with it."""

    x: Array


@layer
class Conv1d(Layer):
    """y[n, o, i] = b[o] + Σ_{c, u} W[o, c, u] · x[n, c, i·stride + u·dilation].

    A cross-correlation, as Conv2d is: the window is not flipped. It runs on Conv2d's ops, a sequence being an image
    of height 1. x stands for the input with `padding` zeros around it. Mind the axes: the channels lie before the
    length, as in PyTorch, while attention and recurrent layers take sequences as (N, T, D).

    Shapes: x (N, C, L), W (out, C/groups, kernel), b (out,), y (N, out, OL), laid out as in PyTorch.
        OL = floor((L + before + after - dilation·(kernel - 1) - 1) / stride) + 1.
    Derivative: dW[o, c, u] = Σ_{n, i} dy[n, o, i] · x[n, c, i·stride + u·dilation], db[o] = Σ dy[:, o], and dx is the
        transposed convolution: every dy[n, o, i] goes back to the elements it came from, times W.
    W begins He-normal (fan_in), which keeps the scale of signals through ReLU; b begins at zero.

    Args:
        out: number of output channels.
        kernel: the window's extent.
        stride: step from one place to the next.
        padding: zeros on both sides; "valid" for none; "same" for as many as keep L, which needs stride 1 (where their
            number is odd, the additional one lies at the end: PyTorch's rule).
        dilation: step from one element of the window to the next.
        groups: number of parts, 1 for an ordinary convolution, C for a depthwise one.
        bias: whether there is a b.
        init: how W begins.

    Raises:
        ConfigError: a setting without meaning.
        ShapeError: where x is not (N, C, L), C is not divisible by groups, or the window exceeds the padded input.
    """

    out: int
    kernel: int
    stride: int = 1
    padding: int | Literal["same", "valid"] = 0
    dilation: int = 1
    groups: int = 1
    bias: bool = True
    init: Initializer = HeNormal()

    def __post_init__(self) -> None:
        for name in ("out", "kernel", "stride", "dilation", "groups"):
            size = getattr(self, name)
            require(whole(size), f"Conv1d's {name} is a whole number", expected="1 or more", actual=repr(size))
        require(
            self.out % self.groups == 0,
            "Conv1d cuts its output channels into equal groups",
            expected=f"out divisible by groups={self.groups}",
            actual=f"out={self.out}",
        )
        require(
            self.padding in ("same", "valid") or whole(self.padding, least=0),
            "unknown padding",
            expected='0 or more, "same" or "valid"',
            actual=repr(self.padding),
        )
        require(
            self.padding != "same" or self.stride == 1,
            'padding="same" keeps the length only under stride 1',
            actual=f"stride={self.stride}",
            hint="give the padding as a number",
        )

    @property
    def pads(self) -> Pair:
        """Zeros around the input: (before, after)."""
        if self.padding == "valid":
            return 0, 0
        if self.padding == "same":
            more = span(self.kernel, self.dilation) - 1
            return more // 2, more - more // 2
        return self.padding, self.padding

    def params(self, in_shape: Shape) -> Mapping[str, ParamSpec]:
        """W, and b where there is a bias."""
        self.out_shape(in_shape)
        weight = {"W": ParamSpec((self.out, in_shape[0] // self.groups, self.kernel), self.init)}
        return weight | {"b": ParamSpec((self.out,), Zeros())} if self.bias else weight

    def out_shape(self, in_shape: Shape) -> Shape:
        """(C, L) -> (out, OL)."""
        if len(in_shape) != 2:
            raise self.refuse("(N, C, L)", ("N", *in_shape))
        C, L = in_shape
        if C % self.groups:
            raise self.refuse(f"channels divisible by groups={self.groups}", f"{C} channels")
        reach = span(self.kernel, self.dilation)
        if reach > L + sum(self.pads):
            raise too_large(self, "length", reach, L, *self.pads)
        return self.out, places(L, self.kernel, self.stride, *self.pads, self.dilation)

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Saved]:
        """y = b + Σ W · x, at every place of the window."""
        y = run.empty((len(x), *self.out_shape(x.shape[1:])), x.dtype)  # (N, C, L) -> (N, out, OL)
        k.conv2d(_flat_image(x), _flat_image(p["W"]), p.get("b"), _flat_image(y), *self._settings())
        return y, Saved(x)

    def backward(self, k: OpTable, p: Views, g: Views, saved: Saved, dy: Array, run: Run) -> Array | None:
        """Of y = b + Σ W · x: dW += Σ dy · x, db += Σ dy, dx = Σ dy · W, each over the same pairs of elements."""
        dx = run.empty(saved.x.shape, dy.dtype) if run.need_dx else None
        x, W, d = _flat_image(saved.x), _flat_image(p["W"]), _flat_image(dy)
        k.conv2d_backward(
            x, W, d, _flat_image(g["W"]), g.get("b"), None if dx is None else _flat_image(dx), *self._settings()
        )
        return dx

    def _settings(self) -> tuple[Pair, tuple[Pair, Pair], Pair, int]:
        """Stride, padding, dilation, groups, as the ops take them."""
        return (1, self.stride), ((0, 0), self.pads), (1, self.dilation), self.groups

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """Every kind of padding, strides that leave a rest, one to C groups (which is a depthwise convolution)."""
        groups = draw.one_of(1, 1, 2, 3)
        padding: int | Literal["same", "valid"] = draw.one_of(0, 1, 2, "same", "valid")
        made = cls(
            groups * draw.integer(1, 3),
            draw.integer(1, 4),
            stride=1 if padding == "same" else draw.integer(1, 3),
            padding=padding,
            dilation=draw.one_of(1, 1, 2),
            groups=groups,
            bias=draw.one_of(True, False),
        )
        return Case(made, in_shape=(groups * draw.integer(1, 2), draw.integer(7, 11)))


def _flat_image(x: Array) -> Array:
    """A view of a sequence as an image of height 1; a view for any strides."""
    return x[:, :, None]  # (N, C, L) -> (N, C, 1, L)
