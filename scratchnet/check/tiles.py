"""Arrays of any number of axes as one flat map: cropped to what matters, and tiled with gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scratchnet.core.types import Array, Shape

MARGIN, LEAST = 4, 12
"""How much of an axis is shown on either side of what is marked, and at least, where an axis is cropped."""


@dataclass(frozen=True)
class Tiles:
    """Which part of an array is shown, and where each of its elements lies on a flat map.

    An array of one axis is a row, one of two a matrix. Of three and four, (A, B, H, W), each (H, W) is a tile, B
    of them in a row and A rows of them; of more, all axes before the last three are counted as one.

    Attributes:
        shape: of the array.
        parts: the range of each axis that is shown.
        where: for each place of the map the flat index of the element that lies there; -1 in the gaps.
        rows, columns: (place, index, axis) of what may be written beside the map and below it.
    """

    shape: Shape
    parts: tuple[range, ...]
    where: Array
    rows: tuple[tuple[float, int], ...]
    columns: tuple[tuple[float, int], ...]
    names: tuple[str, str]

    def of(self, array: Array, gap: Any) -> Array:
        """The shown part of an array of this shape as a map, with `gap` between the tiles."""
        return np.where(self.where >= 0, array.reshape(-1)[self.where], gap)

    @property
    def cropped(self) -> str:
        """Which part is shown, or "" where it is all: "rows 380 to 403 of 784 along axis 0"."""
        cut = [
            f"{part.start} to {part.stop - 1} of {n} along axis {axis}"
            for axis, (part, n) in enumerate(zip(self.parts, self.shape, strict=True))
            if len(part) < n
        ]
        return ", ".join(cut)


def tile(shape: Shape, marked: Array, rows: int, columns: int) -> Tiles:
    """Lay an array out on at most `rows` × `columns` places, so that as many marked elements as can be are seen.

    Args:
        shape: of the array.
        marked: True where something is to be seen.
        rows, columns: of the map, gaps included.
    """
    parts = _crop(shape, marked, rows, columns)
    flat = np.arange(marked.size).reshape(shape)[tuple(slice(p.start, p.stop) for p in parts)]
    first, second, height, width = _as_four(flat.shape)
    grid = flat.reshape(first, second, height, width)
    gap = 1 if first * second > 1 else 0
    where = np.full((first * (height + gap) - gap, second * (width + gap) - gap), -1)
    for a in range(first):
        for b in range(second):
            top, left = a * (height + gap), b * (width + gap)
            where[top : top + height, left : left + width] = grid[a, b]  # (A, B, H, W) -> (A*(H+1) - 1, B*(W+1) - 1)
    starts = [part.start for part in parts]
    if len(shape) <= 2:
        down, across = ([0] * 2 + starts)[-2:]
        row_axis = "axis 0" if len(shape) == 2 else ""
        names = row_axis, f"axis {len(shape) - 1}" if shape else ""
        row_marks = [(float(i), down + i) for i in range(height)] if len(shape) == 2 else []
        column_marks = [(float(i), across + i) for i in range(width)] if shape else []
    else:
        before = starts[-4] if len(shape) == 4 else 0
        row_marks = (
            [(a * (height + gap) + (height - 1) / 2, before + a) for a in range(first)] if len(shape) > 3 else []
        )
        column_marks = [(b * (width + gap) + (width - 1) / 2, starts[-3] + b) for b in range(second)]
        outer = "axis 0" if len(shape) == 4 else f"axes 0 to {len(shape) - 4}"
        inner = f"axis {len(shape) - 2} within a tile"
        names = (
            (f"{outer}; {inner}" if len(shape) > 3 else inner),
            (f"axis {len(shape) - 3}; axis {len(shape) - 1} within a tile"),
        )
    return Tiles(shape, parts, where, tuple(row_marks), tuple(column_marks), names)


def _as_four(shape: Shape) -> tuple[int, int, int, int]:
    """(…, B, H, W) -> (A, B, H, W)."""
    padded = (1,) * (4 - len(shape)) + shape if len(shape) < 4 else shape
    return int(np.prod(padded[:-3])), *padded[-3:]  # type: ignore[return-value]


def _crop(shape: Shape, marked: Array, rows: int, columns: int) -> tuple[range, ...]:
    """A window of every axis: whole where it fits, else around the marked elements, axis by axis."""
    most = _limits(shape, rows, columns)
    parts: list[range] = []
    left = marked
    for axis, (n, limit) in enumerate(zip(shape, most, strict=True)):
        start, length = 0, n
        if n > limit:
            counts = left.sum(tuple(i for i in range(len(shape)) if i != axis))
            at = np.flatnonzero(counts)
            length = min(limit, max(LEAST, int(np.ptp(at)) + 1 + 2 * MARGIN if len(at) else limit))
            start = _window(counts, length)
        parts.append(range(start, start + length))
        inside = np.zeros(n, bool)
        inside[start : start + length] = True
        left = left & inside.reshape([-1 if i == axis else 1 for i in range(len(shape))])
    return tuple(parts)


def _limits(shape: Shape, rows: int, columns: int) -> Sequence[int]:
    """How many of each axis may be shown: tiles whole first, then as many of them as there is room for."""
    most = list(shape)
    for axis, room in ((-1, columns), (-2, rows)):
        if len(shape) >= -axis:
            most[axis] = min(shape[axis], room)
    if len(shape) >= 3:
        most[-3] = max(1, min(shape[-3], (columns + 1) // (most[-1] + 1)))
        room = max(1, (rows + 1) // (most[-2] + 1))
        for axis in range(len(shape) - 4, -1, -1):
            most[axis] = max(1, min(shape[axis], room))
            room //= most[axis]
    return most


def _window(counts: Array, length: int) -> int:
    """Where the window of that length begins that holds most; of equal ones the middle of the first run of them."""
    sums = np.convolve(counts, np.ones(length, np.int64), "valid")
    best = np.flatnonzero(sums == sums.max())
    run = best[: int(np.argmax(np.append(np.diff(best), 2) > 1)) + 1]
    return int(run[len(run) // 2]) if counts.any() else 0
