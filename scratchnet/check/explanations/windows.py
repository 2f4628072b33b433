"""Contributions that are overwritten, dropped or counted twice: windows that overlap, indices that repeat."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scratchnet.core.types import Array

from .clues import LARGE, Clues, at_edges, axes_named, diagonal, subsets
from .explanation import Explanation
from .mixing import beside, causal

LOOK = "the line that writes into the gradient: += (or np.add.at) where windows overlap or an index comes twice"

CARRY = "what each step of the backward passes on to the step before it"


def windows(clues: Clues) -> Iterator[Explanation]:
    """From the backward's matrix where it is known, else from the sums."""
    if not clues.jacobian.size or clues.jacobian.shape[1] < 2:
        return
    carried = list(_carried(clues))
    yield from carried
    if clues.matrix is not None and not carried:
        yield from _by_matrix(clues, clues.matrix)
    if not carried:
        yield from _by_sums(clues)


def _carried(clues: Clues) -> Iterator[Explanation]:
    """What is missing is all that comes from other indices of an axis: the function carries along it."""
    if clues.matrix is None or not clues.whole or clues.elementwise or not clues.sound.all():
        return
    for axis in range(min(len(clues.shape), len(clues.out_shape))):
        others = beside(clues, (axis,))
        if others is None or clues.shape[axis] < 2 or not (np.abs(clues.jacobian[others]) > clues.fine).any():
            continue
        if (np.abs(np.where(others, 0, clues.jacobian) - clues.matrix) <= clues.fine).all():
            text = f"what comes from other indices of axis {axis} is missing: the function carries along it"
            yield Explanation("term missing", text, "what is passed from one step to the next, or summed", 0.95)
            return


def _by_matrix(clues: Clues, matrix: Array) -> Iterator[Explanation]:
    """Every contribution is right, missing or doubled."""
    j = clues.jacobian
    there = np.abs(j) > clues.fine
    off = (np.abs(matrix - j) > clues.fine) & clues.sound[:, None]
    gone, twice = off & (np.abs(matrix) <= clues.fine) & there, off & (np.abs(matrix - 2 * j) <= 2 * clues.fine)
    if not off.any() or not (gone | twice)[off].all() or (gone.any() and twice.any()):
        yield from _misplaced(clues, matrix, there)
        return
    if (
        clues.shape == clues.out_shape
        and not clues.elementwise
        and clues.whole
        and diagonal(off.astype(np.float64))
        and off.diagonal().sum() > 2
    ):
        how = "missing" if gone.any() else "counted twice"
        text = f"the term of an entry's own dout is {how}, the others are right"
        yield Explanation("term missing", text, "a sum that must include its own index, or must not", 0.95)
        return
    rows = np.flatnonzero(off.any(1))
    several = there[rows].sum(1)
    if clues.shape == clues.out_shape and clues.whole and diagonal(matrix):
        return  # what is left is elementwise: a sum is missing, not a window
    if (several < 2).all() or (gone.any() and (gone[rows].sum(1) == several).all()):
        return  # whole entries are missing: that is no window
    count = int(off.any(1).sum())
    least, most = int(off[rows].sum(1).min()), int(off[rows].sum(1).max())
    many = f"{least}" if least == most else f"{least} to {most}"
    outputs = off.any(0)
    whole = bool((off == there)[:, outputs].all())  # all contributions of some outputs: a place in dout
    if twice.any():
        text = f"in {count} entries {many} contributions of dout are counted twice, the others once"
    elif (several - off[rows].sum(1) == 1).all():
        order = _order(there[rows] & ~off[rows], there[rows])
        text = f"{count} entries keep only one of their contributions{order}: the others are overwritten"
    else:
        text = f"in {count} entries {many} contributions of dout are missing, the others are right"
    if whole and gone.any():
        edge = at_edges(outputs.reshape(clues.out_shape))
        text = f"{int(outputs.sum())} entries of dout{' at its edges' if edge else ''} do not reach the gradient"
        yield Explanation("border" if edge else "mask", text, LOOK, 0.72 if edge else 0.68)
    if gone.any() and (axis := causal(clues)) is not None:
        text = f"{text}; they are carried along axis {axis}"
        yield Explanation("term missing", text, CARRY, 0.9)
        return
    entries = int((there & clues.wrong[:, None]).sum())
    sure = (0.7 if whole else 0.94) * (1 - 0.6 * 0.7**entries)
    yield Explanation("window", text, LOOK, sure)


def _misplaced(clues: Clues, matrix: Array, there: Array) -> Iterator[Explanation]:
    """The right contributions in the wrong entries; or only some of them, at another size."""
    j, claimed = clues.jacobian, np.abs(matrix) > clues.fine
    both: Array = np.asarray(there.any(0) & claimed.any(0))
    alike = np.abs(np.sort(matrix, 0) - np.sort(j, 0))[:, both] <= clues.fine
    if clues.whole and alike.all() and 2 * both.sum() >= both.size and there.sum() > 4:
        text = "every entry of dout makes the right contributions, but they are written to the wrong entries"
        if (there.sum(0) == 1).all() and (there.sum(1) == 1).all():
            yield Explanation("transpose", text, "the order of axes in a reshape or transpose", 0.8)
        elif len(clues.shape) > 1 and _rows(clues, matrix[:, both], j[:, both]):
            yield Explanation("rows mixed", f"{text}: whole rows are exchanged", "the index of axis 0", 0.8)
        else:
            look = "the index that the gradient is written at: stride, dilation, offset"
            yield Explanation("window", text, look, 0.7)
    kept = there & claimed
    if not (claimed & ~there).any() and (there & ~claimed).any() and kept.sum() > 2:
        ratio = np.asarray(matrix[kept] / j[kept])
        if np.ptp(ratio) <= 1e-6 * np.abs(ratio).max():
            text = f"some contributions are missing, the others are {ratio[0]:.4g} times what they must be"
            yield Explanation("window", text, LOOK, 0.6)
        else:
            text = "some contributions are missing, and the others have factors that they must not have"
            if (axis := causal(clues)) is not None:
                text = f"part of what is carried along axis {axis} is missing, so that the rest has wrong factors"
            yield Explanation("window" if axis is None else "term missing", text, LOOK if axis is None else CARRY, 0.45)
    idle: Array = np.asarray(~there.any(0))
    rest = (np.abs(matrix - j) <= clues.fine)[:, ~idle]
    if clues.linear and idle.any() and 3 * rest.shape[1] >= idle.size and rest.all():
        count = int(idle.sum())
        text = f"{count} entries of dout reach the gradient though their outputs do not move; the rest is right"
        look = "the mask that belongs before the product: the forward's, where an output is stuck"
        yield Explanation("mask", text, look, 0.85)


def _rows(clues: Clues, matrix: Array, j: Array) -> bool:
    """Whether under each output the rows of axis 0 are those that are due, in another order."""
    one, other = (np.moveaxis(a.reshape(clues.shape[0], -1, a.shape[1]), -1, 0) for a in (matrix, j))  # (M, rows, rest)
    for b, t in zip(one, other, strict=True):
        if not (np.abs(b[:, None] - t[None]).max(-1) <= clues.fine).any(1).all():
            return False
    return True


def _order(kept: Array, there: Array) -> str:
    position = np.arange(there.shape[1])
    at = (kept * position).sum(1)
    if (at == np.where(there, position, -1).max(1)).all():
        return ", the last"
    return ", the first" if (at == np.where(there, position, there.shape[1]).min(1)).all() else ""


def _by_sums(clues: Clues) -> Iterator[Explanation]:
    """For each wrong entry the sum of some of its contributions, chosen by one rule for all. (P, M) at a time."""
    there = np.abs(clues.jacobian) > clues.fine
    if clues.jacobian.size > LARGE or not (there.sum(1) > 1)[clues.wrong].any():
        return
    index = np.indices(clues.out_shape)
    for axes in subsets(len(clues.out_shape)):
        extents = [clues.out_shape[axis] for axis in axes]
        where = tuple(index[axis].reshape(-1) for axis in axes)
        position = np.ravel_multi_index(where, extents)  # (M,)
        last = position == np.where(there, position, -1).max(1)[:, None]
        first = position == np.where(there, position, there.shape[1]).min(1)[:, None]
        if (there & ~last)[clues.wrong].sum() == 0:
            continue  # along these axes there is one contribution only
        rules = {"only the last": last, "only the first": first, "all but the last": ~last, "all but the first": ~first}
        rules |= {"the last twice": 1 + last, "the first twice": 1 + first}
        for text, kept in rules.items():
            if clues.agrees((clues.jacobian * kept) @ clues.dout, 4):
                told = f"each entry holds {text} of its contributions along {axes_named(axes)} of dout"
                yield Explanation("window", told, LOOK, clues.sure(0.93))
                return
