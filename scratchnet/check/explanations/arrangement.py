"""The right numbers in the wrong places: transposed, permuted, running backwards, shifted, of another row."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from scratchnet.core.types import Array

from .clues import Clues, axes_named, subsets
from .explanation import Explanation

TRANSPOSE = "a .T, transpose or reshape too many or too few"
FLIP = "a kernel or an order of summation that must be reversed, or must not"
INDEX = "the index of axis 0: whose dout, whose saved values?"


def arrangements(clues: Clues) -> Iterator[Explanation]:
    """First of the gradient's own axes, then of the axes of the Jacobian, so of a factor within."""
    yield from _rearranged(clues)
    if clues.whole and clues.jacobian.size:
        yield from _flipped_inside(clues)
        yield from _shifted_inside(clues)
        yield from _swapped_inside(clues)
    yield from _echoed(clues)
    if clues.whole and clues.sound.all():
        yield from _moved(clues)
        yield from _reordered(clues)


def _mends(clues: Clues, back: Array) -> str | None:
    """Whether a rearrangement of the gradient makes it right where it was probed. (*shape, K)"""
    if back.shape != (*clues.shape, clues.dout.shape[1]):
        return None
    found = back.reshape(-1, back.shape[-1])[clues.at]
    for sign, text in ((1.0, ""), (-1.0, ", and negated")):
        if (np.abs(sign * found - clues.truth)[clues.sound] <= clues.room).all():
            return text
    return None


def _rearranged(clues: Clues) -> Iterator[Explanation]:
    a, ndim = clues.grid(clues.full), len(clues.shape)
    for axes in itertools.permutations(range(ndim)) if 2 <= ndim <= 4 else ():
        if axes == tuple(range(ndim)):
            continue
        name = "transposed" if ndim == 2 else f"permuted: its axes are in the order {axes}"
        if (sign := _mends(clues, a.transpose(*axes, ndim))) is not None:
            yield Explanation("transpose", f"the gradient is {name}{sign}", TRANSPOSE, clues.sure(0.97))
        mixed = a.reshape(*(clues.shape[axis] for axis in axes), -1).transpose(*np.argsort(axes), ndim)
        if (sign := _mends(clues, mixed)) is not None:
            text = f"the gradient is reshaped where it must be transposed to the order {axes}{sign}"
            yield Explanation("transpose", text, "a reshape that ought to be a transpose", clues.sure(0.96))
    for axes in subsets(ndim, 3):
        if (sign := _mends(clues, np.flip(a, axes))) is not None:
            text = f"the gradient runs backwards along {axes_named(axes)}{sign}"
            yield Explanation("flip", text, FLIP, clues.sure(0.97))
    for axis, shift in _shifts(clues.shape):
        if (sign := _mends(clues, np.roll(a, -shift, axis))) is None:
            continue
        text = f"each entry holds the gradient of the one {shift} before it along axis {axis}{sign}"
        yield Explanation("rows mixed" if axis == 0 else "transpose", text, INDEX, clues.sure(0.95 - 0.1 * (axis > 0)))


def _shifts(shape: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """(axis, shift), the small shifts first."""
    for axis, size in enumerate(shape):
        for shift in range(1, min(size, 9)) if size > 2 else ():
            yield axis, shift


def _moved(clues: Clues) -> Iterator[Explanation]:
    """Shifted along one or two axes, with something else where the shift leaves a gap: cropped at the wrong side."""
    a, t = clues.grid(clues.claim), clues.grid(clues.truth)
    for axes in subsets(len(clues.shape), 2):
        for steps in itertools.product((-2, -1, 1, 2), repeat=len(axes)):
            here: list[slice] = [slice(None)] * t.ndim
            there = here.copy()
            for axis, step in zip(axes, steps, strict=True):
                here[axis], there[axis] = (
                    (slice(0, -step), slice(step, None)) if step > 0 else (slice(-step, None), slice(0, step))
                )
            one, other = a[tuple(here)], t[tuple(there)]
            if 3 * one.size < a.size or np.abs(other).max(initial=0.0) <= clues.room or one.size < 6:
                continue
            if (np.abs(one - other) <= clues.room).all() and np.ptp(other) > clues.room:
                by = " and ".join(f"{-step} along axis {axis}" for axis, step in zip(axes, steps, strict=True))
                text = f"the gradient is shifted by {by}; the rest is right"
                yield Explanation("border", text, "where padding is cut off, and the offset of each window", 0.94)
                return


def _reordered(clues: Clues) -> Iterator[Explanation]:
    """Every slice along an axis holds the gradient of some slice, but not of itself."""
    a, t = clues.grid(clues.claim), clues.grid(clues.truth)
    for axis, size in enumerate(clues.shape):
        if not 2 < size <= 64 or t.size // size < 2:
            continue
        one, other = np.moveaxis(a, axis, 0).reshape(size, -1), np.moveaxis(t, axis, 0).reshape(size, -1)
        if np.abs(other).max(1).min() <= clues.room:
            continue
        same = (np.abs(one[:, None] - other[None]).max(-1) <= clues.room) & (np.abs(other).max(1) > clues.room)
        if same.any(1).all() and not same.diagonal().all():
            order = ", ".join(str(int(i)) for i in same.argmax(1)[:8])
            text = f"the slices along axis {axis} hold the gradients of slices {order}{', …' if size > 8 else ''}"
            yield Explanation("rows mixed", text, f"the index of axis {axis}", clues.sure(0.9))


def _echoed(clues: Clues) -> Iterator[Explanation]:
    """The gradient of one output stands in one entry, as it must, but in another one."""
    moved = 0
    for at, slope, answer in clues.echoes:
        hit = np.flatnonzero(np.abs(answer) > clues.fine)
        if len(hit) != 1 or abs(answer[hit[0]] - slope) > clues.fine:
            return
        moved += int(hit[0]) != at
    if moved > 2:
        text = "each entry of dout reaches one entry, and at the right size, but a wrong one: entries are exchanged"
        yield Explanation("rows mixed", text, "the index that is read and the index that is written", 0.88)


def _outputs(clues: Clues, dout: Array) -> Array:
    return dout.reshape(*clues.out_shape, -1)


def _flipped_inside(clues: Clues) -> Iterator[Explanation]:
    """Flip dout, take the true gradient, flip it back: a kernel or a sum that runs the other way."""
    ndim = len(clues.shape)
    for axes in subsets(ndim, 2):
        for out_axes in subsets(len(clues.out_shape), 2):
            if len(axes) != len(out_axes):
                continue
            d = np.flip(_outputs(clues, clues.dout), out_axes).reshape(clues.dout.shape)
            back = np.flip(clues.grid(clues.true_for(d)), axes).reshape(clues.claim.shape)
            if clues.agrees(back):
                text = f"the backward runs the wrong way along {axes_named(axes)}: it is the true one of a flipped dout"
                yield Explanation("flip", f"{text}, flipped back", FLIP, clues.sure(0.92))
    for out_axes in subsets(len(clues.out_shape), 2):
        d = np.flip(_outputs(clues, clues.dout), out_axes).reshape(clues.dout.shape)
        if clues.agrees(clues.true_for(d)):
            text = f"dout is read backwards along its {axes_named(out_axes)}"
            yield Explanation("flip", text, FLIP, clues.sure(0.91))


def _shifted_inside(clues: Clues) -> Iterator[Explanation]:
    """The true gradient of a dout whose rows have moved."""
    for axis, shift in _shifts(clues.out_shape):
        d = np.roll(_outputs(clues, clues.dout), shift, axis).reshape(clues.dout.shape)
        if clues.agrees(clues.true_for(d)):
            text = f"it is the true gradient of a dout that is shifted by {shift} along axis {axis}"
            yield Explanation(
                "rows mixed" if axis == 0 else "transpose", text, INDEX, clues.sure(0.94 - 0.01 * (axis > 0))
            )


def _swapped_inside(clues: Clues) -> Iterator[Explanation]:
    """An axis of the Jacobian's rows changes places with one of its columns: Wᵀ for W, or the forward applied again."""
    ndim, shape = len(clues.shape), clues.shape + clues.out_shape
    j = clues.jacobian.reshape(shape)
    pairs = [(i, ndim + o) for i, n in enumerate(clues.shape) for o, m in enumerate(clues.out_shape) if n == m > 1]
    for count in range(1, min(len(pairs), 3) + 1):
        for chosen in itertools.combinations(pairs, count):
            if len({axis for pair in chosen for axis in pair}) < 2 * count:
                continue
            order = list(range(len(shape)))
            for i, o in chosen:
                order[i], order[o] = order[o], order[i]
            moved = j.transpose(order).reshape(clues.jacobian.shape)
            if np.abs(moved - clues.jacobian).max() > clues.fine and clues.agrees(moved @ clues.dout):
                what = " and ".join(f"axis {i} with axis {o - ndim} of out" for i, o in chosen)
                text = f"the backward's matrix has {what} exchanged: it uses W where Wᵀ is due, or the reverse"
                yield Explanation("transpose", text, TRANSPOSE, clues.sure(0.91 if ndim <= 2 else 0.78))
    for one, other in itertools.combinations(range(len(clues.out_shape)), 2):
        if clues.out_shape[one] == clues.out_shape[other]:
            d = np.swapaxes(_outputs(clues, clues.dout), one, other).reshape(clues.dout.shape)
            if clues.agrees(clues.true_for(d)):
                text = f"dout is transposed: its axes {one} and {other} are exchanged"
                yield Explanation("transpose", text, TRANSPOSE, clues.sure(0.95))
