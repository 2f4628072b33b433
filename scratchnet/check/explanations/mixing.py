"""Which entries depend on which: rows of other samples, statistics over the wrong axes, terms that are not there."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scratchnet.core.types import Array

from .clues import Clues, axes_named, subsets
from .explanation import Explanation


def mixes(clues: Clues, axes: tuple[int, ...], matrix: Array | None) -> bool | None:
    """Whether a matrix couples different indices of these axes, which argument and output share. None: not known."""
    others = beside(clues, axes) if matrix is not None and matrix.size and clues.whole else None
    if matrix is None or others is None:
        return None
    return bool(np.abs(np.where(others, matrix, 0)).max(initial=0.0) > 1e-7 * np.abs(matrix).max(initial=0.0))


def beside(clues: Clues, axes: tuple[int, ...]) -> Array | None:
    """Where an entry of the argument meets one of the output with another index along one of the axes. (P, M)"""
    if any(a >= len(clues.out_shape) or clues.shape[a] != clues.out_shape[a] for a in axes):
        return None
    rows = np.indices(clues.shape).reshape(len(clues.shape), -1)
    columns = np.indices(clues.out_shape).reshape(len(clues.out_shape), -1)
    others = np.zeros((rows.shape[1], columns.shape[1]), bool)
    for axis in axes:
        others |= rows[axis][:, None] != columns[axis][None]
    return others


def mixtures(clues: Clues) -> Iterator[Explanation]:
    """What couples in the backward's matrix and not in the Jacobian, and the reverse."""
    if clues.matrix is None or not clues.whole or not clues.jacobian.size or not clues.shape or not clues.linear:
        return
    axes = [a for a in range(min(len(clues.shape), len(clues.out_shape))) if clues.shape[a] == clues.out_shape[a] > 1]
    extra = [a for a in axes if mixes(clues, (a,), clues.matrix) and not mixes(clues, (a,), clues.jacobian)]
    lost = [a for a in axes if mixes(clues, (a,), clues.jacobian) and not mixes(clues, (a,), clues.matrix)]
    same = clues.shape == clues.out_shape
    for axis in extra:
        names = (
            f"the gradient at one index of axis {axis} moves with dout at another, which the function does not allow"
        )
        if same and clues.elementwise and _statistical(clues, clues.matrix):
            text = f"{names}: as if statistics over the axis were part of the function"
            yield Explanation("mode swapped", text, "whether statistics are constants here (evaluation) or not", 0.8)
        elif lost:
            text = f"{names}; and it does not mix along {axes_named(tuple(lost))} as it must"
            yield Explanation("term missing", text, "the axis of each sum and mean in the backward", 0.72)
        elif axis == 0:
            yield Explanation("rows mixed", names, "the index of axis 0, and sums over it", 0.72)
        else:
            yield Explanation("term missing", names, f"a sum over axis {axis} that is not due", 0.6)
    there, claimed = np.abs(clues.jacobian) > clues.fine, np.abs(clues.matrix) > clues.fine
    stray = int((claimed & ~there).sum())
    misses = 2 * there.sum() <= there.size and 4 * stray > there.sum()
    if not lost and not extra and misses and causal(clues) is None:
        text = "entries of dout reach entries of the gradient that they have no part in"
        yield Explanation("window", text, "the indices of each contribution: stride, dilation, offset, group", 0.35)
    if lost and not extra:
        text = f"the function mixes entries along {axes_named(tuple(lost))}, the backward does not"
        if same and _statistical(clues, clues.jacobian):
            look = "the statistics: they depend on x, and so have a part in the gradient"
            yield Explanation("statistics constant", f"{text}: statistics are taken for constants", look, 0.74)
        else:
            yield Explanation("term missing", text, f"a sum over {axes_named(tuple(lost))} that is missing", 0.6)


def _statistical(clues: Clues, matrix: Array) -> bool:
    """Whether beside the diagonal each column is a combination of 1 and x along the axes that it mixes."""
    known = [a.reshape(-1) for name, a in clues.known(clues.shape, flat=True).items() if name != "out"]
    for x in known:
        for axes in subsets(len(clues.shape)):
            kept = tuple(a for a in range(len(clues.shape)) if a not in axes)
            others = beside(clues, kept)
            if others is None or mixes(clues, kept, matrix):
                continue
            if all(_column(matrix[:, o], ~others[:, o], x, o) for o in range(matrix.shape[1])):
                return True
    return False


def _column(column: Array, group: Array, x: Array, own: int) -> bool:
    """Whether a column is a combination of 1 and x over a group, its own entry left out."""
    at = np.flatnonzero(group & (np.arange(len(column)) != own))
    if len(at) < 4:
        return False
    basis = np.stack([np.ones(len(at)), x[at]], 1)
    fit = basis @ np.linalg.lstsq(basis, column[at], rcond=None)[0]
    return bool(np.abs(fit - column[at]).max() <= 1e-7 * max(np.abs(column).max(), 1e-300))


def causal(clues: Clues) -> int | None:
    """An axis of three steps or more along which each step moves itself and all later ones, or all earlier ones."""
    j = np.abs(clues.jacobian) > clues.fine
    for axis in range(min(len(clues.shape), len(clues.out_shape))) if clues.whole and j.size else ():
        if clues.shape[axis] != clues.out_shape[axis] or clues.shape[axis] < 3:
            continue
        step = np.indices(clues.shape)[axis].reshape(-1)[:, None] - np.indices(clues.out_shape)[axis].reshape(-1)
        ends = [bool(j[step == far].any()) for far in (1 - clues.shape[axis], clues.shape[axis] - 1)]
        if ends[0] != ends[1] and not j[step > 0 if ends[0] else step < 0].any():
            return axis
    return None
