"""How a place in memory is reached from the array that it lies in."""

from __future__ import annotations

from scratchnet.core.plan import Ref

from .errors import ExportError
from .graph import View


def seen(name: str, ref: Ref, size: int, itemsize: int) -> View:
    """A place in memory of `size` elements as reshape, slice, transpose, reshape.

    Axes sorted by stride lie in memory from the outside in; what each has room for follows from the stride of the one
    outside of it, and where it starts from the offset.
    """
    strides, offset = tuple(s // itemsize for s in ref.strides), ref.offset // itemsize
    axes = [axis for axis, extent in enumerate(ref.shape) if extent != 1]
    inward = sorted(axes, key=lambda axis: -strides[axis])
    steps = [strides[axis] for axis in inward]
    extents = [ref.shape[axis] for axis in inward]
    if not steps or steps[-1] != 1:  # the innermost of what is in memory is not an axis of the view: one place of it
        steps, extents = [*steps, 1], [*extents, 1]
        inward = [*inward, -1]
    rooms = [outer // inner for outer, inner in zip([size, *steps], steps, strict=False)]
    starts, left = [], offset
    for step in steps:
        starts.append(left // step)
        left %= step
    fits = all(outer % inner == 0 for outer, inner in zip([size, *steps], steps, strict=False) if inner)
    if 0 in steps or not fits or any(a + n > room for a, n, room in zip(starts, extents, rooms, strict=True)):
        raise ExportError("a view that no reshape, slice and transposition makes", where=name, actual=ref)
    take = tuple((a, a + n) for a, n in zip(starts, extents, strict=True))
    order = tuple(inward.index(axis) for axis in axes) + ((len(axes),) if -1 in inward else ())
    return View(name, ref.shape, tuple(rooms), take, order, offset, strides)
