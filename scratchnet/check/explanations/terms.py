"""A summed term is missing, doubled or wrong: along some axes the error is a number, or one times a known array."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scratchnet.core.types import Array

from .clues import Clues, axes_named, subsets
from .explanation import Explanation
from .mixing import mixes

LARGEST = 6000
"""Entries of an argument beyond which no residuals are fitted."""


def terms(clues: Clues) -> Iterator[Explanation]:
    """A residual that no cotangent changes; one that statistics explain; one at the targets of a loss."""
    residual = np.where(clues.sound[:, None], clues.claim - clues.truth, 0)
    fixed = list(_fixed(clues, residual))
    yield from fixed
    if clues.whole and clues.sound.all():
        yield from _at_targets(clues)
    if clues.shape == clues.out_shape and clues.dout.shape[1] > 1:
        for factor, how in ((-1.0, "missing"), (1.0, "added once too often")):
            if clues.agrees(clues.truth + factor * clues.dout[clues.at]):
                text = f"dout itself is {how}: the path past the function, x + f(x)"
                yield Explanation("not added", text, "the sum of the gradients of every path to the input", 0.85)
    if clues.truth.size <= LARGEST and not fixed:
        yield from _statistics(clues, residual)


def _fixed(clues: Clues, residual: Array) -> Iterator[Explanation]:
    """The same error whatever dout is: a term of its own, such as a weight decay."""
    if residual.shape[1] < 2 or np.ptp(residual, axis=1).max() > clues.room:
        return
    r = residual[:, 0]
    for name, array in clues.known(clues.shape).items():
        a = array.reshape(-1)[clues.at] * clues.sound
        share = float((a @ r) / (a @ a))
        if np.abs(r - share * a).max() <= clues.room:
            text = f"{share:.6g} times {name} is added, whatever dout is"
            yield Explanation("term missing", text, "a regulariser's gradient that the forward has no part in", 0.9)
            return
    text = "an error that no dout changes is added to the true gradient"
    look = "an array that is not set to zero first, or a term that dout is not applied to"
    yield Explanation("term missing", text, look, 0.55)


def _at_targets(clues: Clues) -> Iterator[Explanation]:
    """Wrong at [i, t[i]] alone: the term of the target's class."""
    for name, array in clues.beside.items() if clues.shape else ():
        if array.dtype.kind not in "iu" or array.shape != clues.shape[:-1] or not array.size:
            continue
        if array.min() < 0 or array.max() >= clues.shape[-1]:
            continue
        target = np.zeros(clues.shape, bool)
        np.put_along_axis(target, array[..., None].astype(np.int64), True, -1)
        for at, text in ((target, "at"), (~target, "everywhere but at")):
            if (at.reshape(-1) == clues.wrong).all() and clues.wrong.sum() > 1:
                full = f"it is wrong {text} the indices that {name} names, and nowhere else"
                look = "the term of the target's class: the −1 of q − onehot, or its factor"
                yield Explanation("term missing", full, look, 0.82)


def _statistics(clues: Clues, residual: Array) -> Iterator[Explanation]:
    """In every group along some axes the error lies in the span of 1, of x, or of both, perhaps times an array."""
    ones = np.ones(clues.shape)
    same = clues.known(clues.shape, flat=True)
    factors = {"": ones} | {name: a for name, a in clues.known(clues.shape).items() if np.abs(a).min() > 1e-8}
    found: dict[tuple[str, ...], tuple[int, ...]] = {}
    for axes in sorted(subsets(len(clues.shape)), key=len, reverse=True):  # many axes leave few numbers to fit
        size = int(np.prod([clues.shape[axis] for axis in axes]))
        if size < 3:
            continue
        bases: dict[tuple[str, ...], list[Array]] = {("1",): [ones]}
        bases.update({(name,): [a] for name, a in same.items()})
        for name, a in same.items():
            centred = a - a.mean(axes, keepdims=True)
            bases[(f"{name} − mean",)] = [centred]
            if name != "out" or len(same) == 1:  # out is a function of x, seldom x itself
                bases["1", name] = [ones, a]
        for names, basis in bases.items():
            if set(axes) < set(found.get(names, ())):
                continue
            for power, word in ((1, "times"), (-1, "over")):
                for by, factor in factors.items() if found.get(names) != axes else ():
                    if (by and by in names) or (not by and power < 0) or (len(names) == 2 and size < 4):
                        continue
                    grown = [b * factor**power for b in basis]
                    if _spanned(clues, residual, grown, axes):
                        found[names] = axes
                        yield _told(clues, axes, names, f" {word} {by}" if by else "", size)
                        break


def _spanned(clues: Clues, residual: Array, basis: list[Array], axes: tuple[int, ...]) -> bool:
    """Whether the residual along the axes is a combination of a basis, of its own in every group. (P, K)"""
    if not clues.whole or not clues.sound.all():
        return _spanned_in_part(clues, residual, basis, axes)
    residual = clues.grid(residual)
    ndim = residual.ndim - 1
    order = [axis for axis in range(ndim) if axis not in axes] + list(axes)
    size = int(np.prod([residual.shape[axis] for axis in axes]))
    r = residual.transpose(*order, ndim).reshape(-1, size, residual.shape[-1])  # (groups, size, K)
    b = np.stack([a.transpose(order).reshape(-1, size) for a in basis], -1)  # (groups, size, len(basis))
    if len(basis) == 1:
        weight = (b * b).sum(1, keepdims=True)  # (groups, 1, 1)
        fit = b * ((b * r).sum(1, keepdims=True) / np.maximum(weight, 1e-300))
    else:
        fit = b @ (np.linalg.pinv(b) @ r)
    return bool(np.abs(r - fit).max() <= 2 * clues.room)


def _spanned_in_part(clues: Clues, residual: Array, basis: list[Array], axes: tuple[int, ...]) -> bool:
    """The same for a sample of the coordinates: enough of them must fall into the same groups."""
    index = np.unravel_index(clues.at, clues.shape)
    group = np.zeros(len(clues.at), np.int64)
    for axis, size in enumerate(clues.shape):
        group = group * size + index[axis] if axis not in axes else group
    rows, counts = np.unique(group[clues.sound], return_counts=True)
    over = int(np.maximum(counts - len(basis), 0).sum())
    if over < 8 or 3 * over < len(clues.at):
        return False
    columns = np.stack([a.reshape(-1)[clues.at] for a in basis], 1)
    for row in rows[counts > len(basis)]:
        at = np.flatnonzero((group == row) & clues.sound)
        fit = columns[at] @ np.linalg.lstsq(columns[at], residual[at], rcond=None)[0]
        if np.abs(residual[at] - fit).max() > 2 * clues.room:
            return False
    return True


def _told(clues: Clues, axes: tuple[int, ...], names: tuple[str, ...], by: str, size: int) -> Explanation:
    """Names the mistake by whether function and backward mix entries along these axes."""
    truly, claimed = mixes(clues, axes, clues.jacobian), mixes(clues, axes, clues.matrix)
    shape = f"{' and '.join('a number' if name == '1' else f'a number times {name}' for name in names)}{by}"
    along = f"along {axes_named(axes)} the error is {shape}"
    groups = max(1, clues.truth.size // size)
    freedom = len(names) * groups
    look = f"a sum or mean over {axes_named(axes)} that is missing or counted twice, such as a statistic's"
    if truly is False and claimed is True:
        text = f"{along}: the backward mixes entries along {axes_named(axes)}, the function does not"
        return Explanation("mode swapped", text, "whether statistics are constants here (evaluation) or not", 0.9)
    few = -0.01 * len(axes)  # the more axes, the fewer numbers are fitted
    if len(names) == 2:
        if claimed is True and truly is True:
            return Explanation("term missing", along, look, clues.sure(0.84 - few, freedom))
        text = f"{along}: the terms of mean and variance are missing"
        look = "the statistics: they depend on x, and so have a part in the gradient"
        return Explanation("statistics constant", text, look, clues.sure(0.87 - few, freedom))
    return Explanation("term missing", along, look, clues.sure(0.87 - few + 0.01 * (names == ("1",)), freedom))
