"""Wrong in one place only: an edge, a slice, a row of the gradient or of dout; or one slice where a sum is due."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from scratchnet.core.types import Array

from .clues import Clues, axes_named
from .explanation import Explanation

LOOK = "padding, the first or last window, the bounds of a loop, an index that is off by one"
SUM = "a sum over that axis that is missing: a parameter that was broadcast gets the sum of all its uses"


def places(clues: Clues) -> Iterator[Explanation]:
    """Edges of the gradient, edges of dout, then single slices of dout."""
    yield from _local(clues)
    if clues.jacobian.size and clues.out_shape:
        yield from _of_dout(clues)


def _edge(i: int, size: int) -> str:
    return {0: "the first", size - 1: "the last"}.get(i, f"number {i}")


def _local(clues: Clues) -> Iterator[Explanation]:
    """All wrong entries lie in a few slices along an axis."""
    wrong, probed = np.zeros(clues.shape, bool), np.zeros(clues.shape, bool)
    wrong.reshape(-1)[clues.at], probed.reshape(-1)[clues.at] = clues.wrong, clues.sound
    for axis, size in enumerate(clues.shape):
        others = tuple(i for i in range(wrong.ndim) if i != axis)
        at = np.flatnonzero(wrong.any(others))
        if size > 2 and 0 < len(at) <= max(1, size // 3) and len(at) < np.count_nonzero(probed.any(others)):
            place = " and ".join(_edge(int(i), size) for i in at[:4])
            if len(at) > 4:
                place = f"{len(at)} slices from {_edge(int(at[0]), size)} to {_edge(int(at[-1]), size)}"
            everything = bool((wrong == probed).take(at, axis).all())  # the whole of these slices is wrong
            edge = {0, size - 1} & set(map(int, at))
            share = (len(at) / size) ** max(1, int(clues.wrong.sum()))  # so likely by chance
            most = 0.82 if everything and edge else 0.72 if edge else 0.6
            sure = (most if len(at) <= 2 else min(most, 0.6)) * (1 - share)
            text = f"only {place} of {size} along axis {axis} is wrong"
            yield Explanation("border", text, LOOK, sure)
    if wrong.ndim >= 2 and probed.all():
        yield from _frame(wrong)


def _frame(wrong: Array) -> Iterator[Explanation]:
    """All wrong entries lie at the edges of the last two axes or of the last one, and none within."""
    for count in (1, 2):
        if wrong.ndim <= count or min(wrong.shape[-count:]) < 3:
            continue
        within: list[slice] = [slice(None)] * (wrong.ndim - count) + [slice(1, -1)] * count
        inner = wrong[tuple(within)]
        if wrong.any() and not inner.any() and count == 2:
            yield Explanation("border", "only the frame of the last two axes is wrong", LOOK, 0.7)


def _of_dout(clues: Clues) -> Iterator[Explanation]:
    """A slice of dout that is left out, counted twice or off by a factor; or one that is all there is."""
    d = clues.dout.reshape(*clues.out_shape, -1)
    residual = clues.claim - clues.truth
    counts = (np.abs(clues.jacobian) > clues.fine).sum(1)
    counts = counts[counts > 0]
    alike = (
        not counts.size or counts.min() == counts.max()
    )  # else an index that repeats: some entries have more contributions than others
    for axis, size in enumerate(clues.out_shape):
        for i in range(size) if 1 < size <= (4 if clues.large else 64) else ():
            mask = np.zeros(d.shape)
            mask[(slice(None),) * axis + (i,)] = 1
            part = clues.true_for((d * mask).reshape(clues.dout.shape))
            if np.abs(part).max(initial=0.0) <= clues.room:
                continue
            if clues.agrees(part) and np.abs(residual).max() > clues.room:
                text = f"it is the contribution of {_edge(i, size)} of {size} slices of dout along axis {axis} alone"
                yield Explanation("axis not summed", text, SUM, clues.sure(0.96 if alike else 0.9))
            elif size > 2:
                share = float((residual * part).sum() / (part * part).sum())
                if clues.agrees(clues.truth + share * part):
                    what = {-1.0: "left out", 1.0: "counted twice"}.get(round(share, 6), f"taken {1 + share:.4g} times")
                    text = f"{_edge(i, size)} of {size} slices of dout along axis {axis} is {what}"
                    yield Explanation("border", text, LOOK, clues.sure(0.93 if i in (0, size - 1) else 0.85, 1))
    yield from _corner(clues, d) if not clues.large else ()


def _corner(clues: Clues, d: Array) -> Iterator[Explanation]:
    """One index of several axes at once; or several slices at an edge left out."""
    ndim = len(clues.out_shape)
    for count in range(2, min(ndim, 4) + 1):
        for axes in itertools.combinations(range(ndim), count):
            for ends in itertools.product((0, -1), repeat=count):
                where: list[int | slice] = [slice(None)] * ndim
                for axis, end in zip(axes, ends, strict=True):
                    where[axis] = end
                mask = np.zeros(d.shape)
                mask[tuple(where)] = 1
                if clues.agrees(clues.true_for((d * mask).reshape(clues.dout.shape))):
                    text = f"it is the contribution of one index of {axes_named(axes)} of dout alone"
                    yield Explanation("axis not summed", text, SUM, clues.sure(0.95))
    for axis, size in enumerate(clues.out_shape):
        for width in range(2, min(size // 2, 8) + 1):
            for side, where_ in (("first", slice(None, width)), ("last", slice(-width, None))):
                mask = np.ones(d.shape)
                mask[(slice(None),) * axis + (where_,)] = 0
                if clues.agrees(clues.true_for((d * mask).reshape(clues.dout.shape))):
                    text = f"the {side} {width} of {size} slices of dout along axis {axis} are left out"
                    yield Explanation("border", text, LOOK, clues.sure(0.93))
