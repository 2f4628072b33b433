"""Geometries of a convolution: which sizes, windows, strides and paddings go together."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scratchnet.core.case import Draw
from scratchnet.core.types import Shape


@dataclass(frozen=True)
class ConvGeometry:
    """One way to slide a window over an input. Everything but the channels has one entry for each axis.

    Attributes:
        channels, out: of the input and of the output.
        size: the input's extents without batch and channels.
        kernel, stride, dilation: of the window.
        padding: zeros before and after each axis, ((top, bottom), (left, right)); they may differ.
        groups: a divisor of both `channels` and `out`.
    """

    channels: int
    out: int
    size: Shape
    kernel: Shape
    stride: Shape
    padding: tuple[tuple[int, int], ...]
    dilation: Shape
    groups: int

    @property
    def in_shape(self) -> Shape:
        """(C, H, W)."""
        return self.channels, *self.size

    @property
    def weight_shape(self) -> Shape:
        """(out, C/groups, kh, kw), as PyTorch and scratchnet lay weights out."""
        return self.out, self.channels // self.groups, *self.kernel

    @property
    def out_shape(self) -> Shape:
        """(out, OH, OW), with OH = floor((H + top + bottom - dilation·(kh - 1) - 1) / stride) + 1."""
        axes = zip(self.size, self.kernel, self.stride, self.padding, self.dilation, strict=True)
        return self.out, *((n + sum(p) - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in axes)


def draw_geometry(draw: Draw, dims: int = 2, *, largest: int = 7) -> ConvGeometry:
    """A geometry in which the window fits, drawn without rejection; the least of every choice is the plainest.

    Args:
        draw: the source of choices.
        dims: axes besides batch and channels.
        largest: no axis of the input exceeds it, but for one that the window itself needs.
    """
    groups = draw.integer(1, 3)
    kernel = tuple(draw.integer(1, 3) for _ in range(dims))
    dilation = tuple(draw.integer(1, 2) if k > 1 else 1 for k in kernel)
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    padding = tuple(_draw_padding(draw, r) for r in reach)
    least = [max(1, r - sum(p)) for r, p in zip(reach, padding, strict=True)]
    return ConvGeometry(
        channels=groups * draw.integer(1, math.ceil(3 / groups)),
        out=groups * draw.integer(1, math.ceil(3 / groups)),
        size=tuple(draw.integer(n, max(n, largest)) for n in least),
        kernel=kernel,
        stride=tuple(draw.integer(1, 3) for _ in range(dims)),
        padding=padding,
        dilation=dilation,
        groups=groups,
    )


def _draw_padding(draw: Draw, reach: int) -> tuple[int, int]:
    """None, the same on both sides, or unequal; never more than the window, which would then see zeros alone."""
    before = draw.integer(0, min(2, reach))
    return before, draw.one_of(before, *(n for n in range(min(2, reach) + 1) if n != before))
