"""The right gradient at the wrong size: none, negated, off by a factor, or by a factor for each slice of an axis."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from .clues import Clues, axes_named, subsets
from .explanation import Explanation


def scales(clues: Clues) -> Iterator[Explanation]:
    """Factors of the whole gradient, then of its slices."""
    given, truth = clues.claim[clues.sound], clues.truth[clues.sound]
    if max(np.abs(given).max(initial=0.0), np.abs(clues.full).max(initial=0.0)) <= clues.room:
        yield Explanation("gradient missing", "the backward returns zeros", "whether it is computed and returned", 0.99)
        return
    factor = float((given * truth).sum() / max((truth * truth).sum(), 1e-300))
    if not clues.agrees(factor * clues.truth):
        yield from _by_slice(clues)
        yield from _of_block(clues)
        return
    slack = 10 * clues.room / float(np.abs(truth).max())
    if abs(factor + 1) <= slack:
        yield Explanation("sign", "the gradient is negated", "a minus sign", 0.99)
        return
    names = called(factor, clues, slack)
    text = f"the gradient is {factor:.6g}{f' ({names})' if names else ''} times the true one"
    look = "a mean where a sum is due, or the reverse; a scale of the forward that the backward lacks or has twice"
    independent = int((np.abs(truth) > clues.room).sum())  # one entry alone is some multiple of the true one anyway
    sure = clues.sure(0.97, 0) if names else clues.sure(0.95, 1 if independent > 1 else clues.dout.shape[1])
    yield Explanation("constant factor", text, look, sure)


def called(factor: float, clues: Clues, slack: float) -> str:
    """The names of a factor, the simplest first; "" where none fits to within the noise."""
    if slack > 1e-3:
        return ""
    found: list[str] = []
    for value, name in _names(clues):
        for text, size in ((name, value), (f"1/({name})" if "·" in name or "−" in name else f"1/{name}", 1 / value)):
            if size != 1 and abs(abs(factor) / size - 1) <= slack + 1e-12 and text not in found:
                found.append(text)
    return " or ".join(found[:3])


def _names(clues: Clues) -> Iterator[tuple[float, str]]:
    """Numbers that get into factors, with names; the reciprocals are understood."""
    for name, p in clues.facts.items():
        if math.isfinite(p) and p > 0:
            yield p, f"{name}, which is {p:.6g},"
            yield p * p, f"{name}²"
            if p < 1:
                yield 1 - p, f"(1 − {name}), {name} being {p:.6g},"
            yield 1 + p, f"(1 + {name})"
    extents = {n: f"the extent of axis {i} of out" for i, n in reversed(list(enumerate(clues.out_shape))) if n > 1}
    extents |= {n: f"the extent of axis {i}" for i, n in reversed(list(enumerate(clues.shape))) if n > 1}
    for n, what in extents.items():
        yield n, f"{n}, {what}"
        yield n**0.5, f"√{n}, {n} being {what}"
        if n > 2:
            yield n / (n - 1), f"{n}/{n - 1}, {n} being {what}"
            yield n - 1, f"{n} − 1, {n} being {what}"
    shapes = {"out": clues.out_shape, clues.argument or "the input": clues.shape}
    shapes |= {name: a.shape for name, a in clues.beside.items()}
    for name, shape in shapes.items():
        for count in (2, 3, 4):
            for axes in itertools.combinations(range(len(shape)), count):
                n = math.prod(shape[axis] for axis in axes)
                if n > 1:
                    text = f"{'·'.join(str(shape[axis]) for axis in axes)} over {axes_named(axes)} of {name}"
                    yield n, text
                    yield n**0.5, f"√({text})"
                    yield n / max(n - 1, 1), f"{n}/{n - 1} for {text}"
    for name, shape in shapes.items():
        for axis, n in enumerate(shape):
            if n > 1 and n not in extents:
                yield n, f"{n}, the extent of axis {axis} of {name}"
                yield n**0.5, f"√{n}, {n} being the extent of axis {axis} of {name}"
    for n in (2, 3, 4, 8):
        yield n, f"{n}"
    for value, text in ((2**0.5, "√2"), (math.pi, "π"), (math.log(2), "ln 2"), (math.sqrt(2 * math.pi), "√(2π)")):
        yield value, text


def _of_block(clues: Clues) -> Iterator[Explanation]:
    """One factor with a name for all that is wrong: a block, such as the rows of one part of a weight."""
    claim, truth = clues.claim[clues.wrong], clues.truth[clues.wrong]
    if 2 * len(claim) > clues.sound.sum() or len(claim) < 3:
        return
    c = float((claim * truth).sum() / max((truth * truth).sum(), 1e-300))
    if np.abs(claim - c * truth).max() > clues.room or abs(c) * np.abs(truth).max() <= clues.room:
        return
    named = np.zeros(clues.shape, bool)
    named.reshape(-1)[clues.at] = clues.wrong
    for axis, size in enumerate(clues.shape):
        rows = np.moveaxis(named, axis, 0).reshape(size, -1)
        at = np.flatnonzero(rows.any(1))
        name = called(c, clues, 10 * clues.room / float(np.abs(truth).max())) if rows[at].all() and len(at) > 2 else ""
        if name:
            which = f"{len(at)} slices along axis {axis}, from {at[0]} to {at[-1]},"
            text = f"{which} are {c:.6g} ({name}) times the true ones"
            yield Explanation("constant factor", text, "a scale that one part of a joint array has and lacks", 0.85)
            return


def _by_slice(clues: Clues) -> Iterator[Explanation]:
    """One factor for each slice along some axes, so that it is constant along the others."""
    if not clues.whole or not clues.sound.all():
        return
    given, truth = clues.grid(clues.claim), clues.grid(clues.truth)
    ndim = len(clues.shape)
    for kept in subsets(ndim):
        others = tuple(axis for axis in range(ndim) if axis not in kept)
        slices = math.prod(clues.shape[axis] for axis in kept)
        if slices * 2 > truth.size or slices < 2 or len(kept) == ndim:
            continue
        weight = (truth * truth).sum((*others, ndim), keepdims=True)
        factors = (given * truth).sum((*others, ndim), keepdims=True) / np.maximum(weight, 1e-300)
        if np.abs(factors * truth - given).max() > clues.room:
            continue
        flat = factors.reshape(-1)[weight.reshape(-1) > clues.room**2]
        slack = 10 * clues.room / float(np.abs(truth).max())
        plain, gone = np.abs(flat - 1) <= slack, np.abs(flat) <= slack
        if 2 * plain.sum() >= len(flat) or gone.any():  # a few slices only: a border, or a mask
            continue
        shown = ", ".join(f"{factor:.4g}" for factor in flat[:4]) + (", …" if len(flat) > 4 else "")
        text = f"the gradient is the true one times a number for each index of {axes_named(kept)}: {shown}"
        look = f"a scale or statistic that differs along {axes_named(kept)}, such as a standard deviation or a count"
        yield Explanation("constant factor", text, look, clues.sure(0.8, slices))
        return
