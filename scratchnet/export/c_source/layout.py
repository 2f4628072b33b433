"""How an op's argument lies in memory, for one sample: extents and steps, as few axes as will do."""

from __future__ import annotations

import math

from scratchnet.core.types import Shape

from ..graph import View

Axes = list[tuple[int, int, int]]  # from the outside in: extent, step in one array, step in another


def size(shape: Shape) -> int:
    """How many numbers it has for one sample."""
    return math.prod(int(extent) for extent in shape)


def merged(axes: Axes) -> Axes:
    """Without axes of one place, and neighbours as one where both arrays have them side by side."""
    found: Axes = []
    for extent, step, other in axes:
        if extent == 1:
            continue
        if found and found[-1][1:] == (extent * step, extent * other):
            found[-1] = (found[-1][0] * extent, step, other)
        else:
            found.append((extent, step, other))
    return found


def axes_of(view: View) -> Axes:
    """Of what a view shows: the extent and the step of each axis, and the step of the same in a whole array."""
    extents = [int(extent) for extent in view.shape]
    steps = [int(step) for step in view.strides]
    dense = [math.prod(extents[axis + 1 :]) for axis in range(len(extents))]
    return merged(list(zip(extents, steps, dense, strict=True)))


def together(view: View) -> bool:
    """Whether what a view shows lies in one piece, in order."""
    return all(step == dense for _, step, dense in axes_of(view))
