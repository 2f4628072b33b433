"""Windows that slide over images: how their sizes are written, and how many places they have."""

from __future__ import annotations

from scratchnet.core.case import Draw
from scratchnet.core.errors import ConfigError, ShapeError
from scratchnet.core.layer import Layer, require
from scratchnet.core.types import Shape

Pair = tuple[int, int]
Size = int | Pair
"""One extent for both axes, or (height, width)."""


def pair(size: object, what: str, least: int = 1) -> Pair:
    """(height, width) of a size written as one number or as two.

    Raises ConfigError unless both are whole numbers, `least` or more.
    """
    both = size if isinstance(size, tuple) else (size, size)
    if len(both) != 2 or not all(type(n) is int and n >= least for n in both):
        raise ConfigError(f"{what} is one whole number or a pair", expected=f"{least} or more", actual=repr(size))
    return both


def one_size(draw: Draw, *sizes: Size) -> Size:
    """One of the sizes, for the cases of a layer."""
    return draw.one_of(*sizes)


def one_padding(draw: Draw, window: Size) -> Size:
    """A padding that a pooling window takes, for the cases of a layer; none for most."""
    paddings: dict[Size, tuple[Size, ...]] = {2: (0, 0, 1), 3: (0, 0, 1), (2, 3): ((0, 1),), 5: (0, 2), 7: (3,)}
    return draw.one_of(*paddings.get(window, (0,)))


def span(window: int, dilation: int) -> int:
    """How far a window reaches, its gaps included."""
    return dilation * (window - 1) + 1


def places(
    extent: int, window: int, stride: int, before: int, after: int, dilation: int = 1, ceil: bool = False
) -> int:
    """How many places a window has along an axis of `extent`, padded before and after. Below 1 where it has none.

    floor(room / stride) + 1 with room = extent + before + after - span. With `ceil` the quotient is rounded up, so
    that the last window may reach beyond the padding; but it must begin inside the input or the padding before it
    (PyTorch's rule).
    """
    room = extent + before + after - span(window, dilation)
    if not ceil:
        return room // stride + 1
    count = -(-room // stride) + 1
    return count - 1 if (count - 1) * stride >= extent + before else count


def check_pool(layer: Layer, window: Size, stride: Size | None, padding: Size) -> None:
    """Refuse settings of a pooling layer that have no meaning."""
    name = type(layer).__name__
    pads = pair(padding, f"{name}'s padding", least=0)
    if stride is not None:
        pair(stride, f"{name}'s stride")
    for pad, extent in zip(pads, pair(window, f"{name}'s window"), strict=True):
        require(
            pad <= extent // 2,
            f"{name}'s padding is at most half its window, or a window would see padding only",
            expected=f"at most {extent // 2}, for a window of {extent}",
            actual=pad,
        )


def pool_shape(
    layer: Layer, in_shape: Shape, window: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil: bool
) -> Shape:
    """(C, H, W) -> (C, OH, OW) of a pooling layer; a ShapeError in its name where no window fits."""
    if len(in_shape) != 3:
        raise layer.refuse("(N, C, H, W)", ("N", *in_shape))
    out = []
    for axis, extent in enumerate(in_shape[1:]):
        pad = padding[axis]
        count = places(extent, window[axis], stride[axis], pad, pad, dilation[axis], ceil)
        if count < 1:
            raise too_large(layer, axis, span(window[axis], dilation[axis]), extent, pad, pad)
        out.append(count)
    return (in_shape[0], *out)


def too_large(layer: Layer, axis: int | str, reach: int, extent: int, before: int, after: int) -> ShapeError:
    """The error for a window that exceeds the padded input along an axis: 0, 1, or one of another name."""
    name = ("height", "width")[axis] if isinstance(axis, int) else axis
    return layer.refuse(
        f"a padded {name} of at least {reach}, the {name} of the window",
        f"{extent + before + after} = {extent} + {before} + {after} of padding",
        hint="use a smaller window, less dilation or more padding, or shrink the image less in the layers before",
    )
