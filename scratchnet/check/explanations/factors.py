"""A known array has got into the gradient as a factor, or out of it: gamma forgotten or twice, x for out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from scratchnet.core.types import Array

from .clues import Clues, at_edges, axes_named, subsets
from .explanation import Explanation

LOOK = "every factor of the forward: each belongs into the gradient once, as the derivative says"


def factors(clues: Clues) -> Iterator[Explanation]:
    """Factors of the gradient, then of the cotangent, with names; then a standard deviation; then unnamed ones."""
    within = _forms(clues.known(clues.shape)) | dict(_counts(clues))
    for name, array in within.items():
        r = array.reshape(-1)[clues.at][:, None]
        yield from _fits(clues, clues.truth, r, name, "the gradient")
    outside = _forms(clues.known(clues.out_shape))
    if clues.jacobian.size and clues.out_shape and not clues.elementwise:
        for name, array in outside.items():
            d = array.reshape(-1)[:, None] * clues.dout
            if clues.agrees(clues.true_for(d)):
                text = f"dout is multiplied by {name} once too often"
                yield Explanation("array factor", text, LOOK, clues.sure(0.95, chance=0.2))
            if np.abs(array).min() > 1e-8:
                undone = clues.true_for(clues.dout / array.reshape(-1)[:, None])
                if clues.agrees(undone):
                    yield Explanation("array factor", f"dout is not multiplied by {name}", LOOK, clues.sure(0.95))
                if array.shape == clues.shape and clues.agrees(array.reshape(-1)[clues.at][:, None] * undone):
                    text = f"{name} multiplies the gradient at the end, though it must multiply dout at the beginning"
                    yield Explanation("array factor", text, LOOK, clues.sure(0.95))
    yield from _deviation(clues)
    yield from _unnamed(clues)


def _fits(clues: Clues, truth: Array, r: Array, name: str, what: str) -> Iterator[Explanation]:
    if clues.agrees(truth * r):
        yield Explanation("array factor", f"{what} is multiplied by {name} once too often", LOOK, clues.sure(0.95))
    elif (np.abs(clues.claim * r - truth) <= clues.room * (1 + np.abs(r)))[clues.sound].all() and np.abs(
        r
    ).min() > 1e-8:
        text = f"{what} is the true one divided by {name}: that factor is missing"
        yield Explanation("array factor", text, LOOK, clues.sure(0.95))


def _forms(known: Mapping[str, Array]) -> dict[str, Array]:
    """Arrays and what is often made of them, by name."""
    forms: dict[str, Array] = {}
    with np.errstate(all="ignore"):
        for name, a in known.items():
            sigmoid = 1 / (1 + np.exp(-a))
            forms |= {
                name: a, f"{name}²": a * a, f"(1 − {name})": 1 - a, f"(1 − {name}²)": 1 - a * a,
                f"{name}·(1 − {name})": a * (1 - a), f"exp({name})": np.exp(a), f"|{name}|": np.abs(a),
                f"sigmoid({name})": sigmoid, f"(1 − sigmoid({name}))": 1 - sigmoid, f"tanh({name})": np.tanh(a),
                f"sigmoid({name})·(1 − sigmoid({name}))": sigmoid * (1 - sigmoid), f"(1 + {name})": 1 + a,
                f"√{name}": np.sqrt(a), f"{name}³": a**3,
            }  # fmt: skip
    return {name: a for name, a in forms.items() if np.isfinite(a).all() and np.ptp(a) > 0}


def _counts(clues: Clues) -> Iterator[tuple[str, Array]]:
    """How often each index of axis 0 is named by an array of whole numbers."""
    for name, array in clues.beside.items():
        if (
            array.dtype.kind in "iu"
            and array.size
            and clues.shape
            and array.min() >= 0
            and array.max() < clues.shape[0]
        ):
            often = np.maximum(np.bincount(array.reshape(-1), minlength=clues.shape[0]), 1).astype(np.float64)
            if np.ptp(often) > 0:
                by = often.reshape(-1, *(1,) * (len(clues.shape) - 1))
                yield f"the number of times that {name} names the row", np.broadcast_to(by, clues.shape)


def _deviation(clues: Clues) -> Iterator[Explanation]:
    """The ratio is a standard deviation or root mean square of an input (with an eps), or its reciprocal or square."""
    if not clues.whole or not clues.sound.all() or len(clues.shape) < 2:
        return
    given, truth, ndim = clues.grid(clues.claim), clues.grid(clues.truth), len(clues.shape)
    for axes in subsets(ndim - 1):
        weight = (truth * truth).sum((*axes, ndim), keepdims=True)
        ratio = (given * truth).sum((*axes, ndim), keepdims=True) / np.maximum(weight, 1e-300)
        if np.abs(ratio * truth - given).max() > clues.room or ratio.size < 3 or np.abs(ratio).min() < 1e-8:
            continue
        for name, array in clues.known(clues.shape, flat=True).items():
            moments = {"standard deviation": array.var(axes, keepdims=True)[..., None]}
            moments["root mean square"] = (array * array).mean(axes, keepdims=True)[..., None]
            for what, moment in moments.items():
                for power, text in ((2.0, "multiplied by"), (-2.0, "divided by"), (1.0, "multiplied by the square of")):
                    left = np.abs(ratio) ** power - moment  # eps
                    if np.ptp(left) <= 1e-5 * np.ptp(moment) and np.ptp(moment) > 0:
                        full = f"the gradient is {text} the {what} of {name} over {axes_named(axes)} once too often"
                        yield Explanation("array factor", full, LOOK, clues.sure(0.95, ratio.size))
                if ratio.size >= 4 and _related(ratio.reshape(-1), moment.reshape(-1)):
                    full = f"another {what} of {name} over {axes_named(axes)} is used than the forward's"
                    look = "its eps, its N or N − 1, and whether it is the batch's or a stored one"
                    yield Explanation("array factor", full, look, clues.sure(0.88, ratio.size))


def _related(ratio: Array, moment: Array) -> bool:
    """Whether the square of a ratio or of its reciprocal is affine in a variance or in its reciprocal."""
    for square in (ratio**2, ratio**-2):
        for v in (moment, 1 / moment):
            basis = np.stack([np.ones(len(v)), v], 1)
            if not (np.isfinite(basis).all() and np.isfinite(square).all()):
                continue
            left = basis @ np.linalg.lstsq(basis, square, rcond=None)[0] - square
            if np.abs(left).max() <= 1e-6 * np.ptp(square) and np.ptp(square) > 1e-7 * np.abs(square).max():
                return True
    return False


def _unnamed(clues: Clues) -> Iterator[Explanation]:
    """A factor that is the same under every dout but has no name: one for each coordinate, or one for each output."""
    if clues.dout.shape[1] > 1 and clues.linear and min(clues.dout.shape) > 1:
        weight = (clues.truth**2).sum(1, keepdims=True)
        r = (clues.claim * clues.truth).sum(1, keepdims=True) / np.maximum(weight, 1e-300)
        if clues.agrees(r * clues.truth):
            sure = 0.6 if 4 * clues.wrong.sum() > len(clues.wrong) else 0.4
            text = "every entry has a factor of its own, the same for every dout: the local derivative is wrong"
            if clues.elementwise:
                text = "the backward is elementwise as it must be, but its derivative is not the function's"
            yield Explanation("array factor", text, "the formula of the derivative, and what it is given", sure)
            return
    zero = np.abs(clues.truth[:, 0]) <= clues.room
    if len(clues.dout) == 1 and zero.sum() > 1 and ((np.abs(clues.claim[:, 0]) <= clues.room) == zero).all():
        text = "it is zero just where it must be, and every other entry has a factor of its own"
        yield Explanation("array factor", text, "what the mask is multiplied by", 0.45)
    if clues.matrix is not None and clues.matrix.shape[1] > 1:
        weight = (clues.jacobian**2).sum(0)
        there = np.abs(clues.jacobian) > clues.fine
        if (
            4 * there.sum() <= there.size
            and (there.sum(0) <= 1).all()
            and (there == (np.abs(clues.matrix) > clues.fine))[clues.sound].all()
        ):
            text = "every entry of dout reaches the entries that it must, each with another factor than it must"
            yield Explanation("array factor", text, "the local derivative that dout is multiplied by", 0.5)
        if np.count_nonzero(np.abs(clues.jacobian) > clues.fine) < 2 * len(weight):
            return
        r = (clues.jacobian * clues.matrix).sum(0) / np.maximum(weight, 1e-300)
        if np.abs(clues.jacobian * r - clues.matrix)[clues.sound].max() <= 4 * clues.fine:
            off = (np.abs(r - 1) > 1e-6) & (weight > clues.fine**2)
            if 0 < off.sum() < len(off) and at_edges(off.reshape(clues.out_shape)):
                text = f"only what comes from the edges of dout has a wrong factor, such as {r[off][0]:.4g}"
                yield Explanation("border", text, "windows that reach over the edge: their size, their count", 0.85)
                return
            text = "the gradient is right for another cotangent: every entry of dout has a factor too many or too few"
            yield Explanation("array factor", text, "what dout is multiplied by before it is summed", 0.65)
