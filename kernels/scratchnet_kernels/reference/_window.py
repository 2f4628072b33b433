"""Which elements of an image a window sees, place by place."""

from __future__ import annotations

from typing import Any

from ..op import Extents

Slices = tuple[slice, ...]


def _seen(u: int, extent: int, places: int, stride: int, before: int, dilation: int) -> tuple[slice, slice]:
    """Along one axis: (the places i at which element u of the window lies inside, where it lies there).

    It lies at i·stride + u·dilation - before. Both slices are of one length.
    """
    offset = u * dilation - before
    first = max(0, -(offset // stride))  # the least i with i·stride + offset >= 0
    stop = min(places, (extent - 1 - offset) // stride + 1)  # the greatest with i·stride + offset < extent, plus 1
    if stop <= first:
        return slice(0, 0), slice(0, 0)
    start = first * stride + offset
    return slice(first, stop), slice(start, start + (stop - first - 1) * stride + 1, stride)


def seen(place: tuple[int, int], x: Any, y: Any, stride: Any, padding: Any, dilation: Any) -> tuple[Slices, Slices]:
    """For element (u, v) of the window: (slices of y, slices of x) that pair each place with what it sees there.

    Where the element lies in the padding, the place is left out. x is (N, C, H, W), y (N, C, OH, OW).
    """
    rows = _seen(place[0], x.shape[2], y.shape[2], stride[0], padding[0], dilation[0])
    columns = _seen(place[1], x.shape[3], y.shape[3], stride[1], padding[1], dilation[1])
    every = slice(None)
    return (every, every, rows[0], columns[0]), (every, every, rows[1], columns[1])


def begin_inside(d: Extents, window: Any, stride: Any, padding: Any) -> Extents:
    """The door's limit on the number of places: each begins inside the image or the padding before it."""
    most = [(d[axis] + before - 1) // step + 1 for axis, before, step in zip("HW", padding, stride, strict=True)]
    return {"OH": min(d["OH"], most[0]), "OW": min(d["OW"], most[1])}
