"""The true gradient of another cotangent: of ones, of dout squared, of a clipped or averaged dout."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from scratchnet.core.types import Array

from .clues import Clues, axes_named, subsets
from .explanation import Explanation

CHAIN = "the chain rule: the gradient is dout times the local derivative, once"


def cotangents(clues: Clues) -> Iterator[Explanation]:
    """Of other cotangents, and of a backward that is not linear in dout."""
    if not clues.steady:
        text = "the same backward of the same dout gives another gradient the second time"
        yield Explanation(
            "state left over", text, "what outlives a call, such as a random mask that is drawn anew", 0.9
        )
        return
    if not clues.jacobian.size:
        return
    for kind, text, change in _CHANGES:
        changed = change(clues.dout)
        if np.abs(changed - clues.dout).max() < 1e-9 or not clues.agrees(clues.true_for(changed)):
            continue
        yield Explanation(kind, text, CHAIN, clues.sure(0.98))
    if clues.dout.shape[1] > 1:
        yield from _constant(clues)
    yield from _averaged(clues)
    if not clues.linear:
        text = "the backward is not linear in dout"
        yield Explanation("not linear", text, "a clip, a comparison or a power of dout", 0.6)


def _norm(d: Array) -> Array:
    return np.asarray(np.sqrt((d * d).sum(0, keepdims=True)))


_CHANGES: list[tuple[str, str, Callable[[Array], Array]]] = [
    ("cotangent ignored", "the gradient is that of dout = 1: dout is not used", np.ones_like),
    ("cotangent ignored", "dout enters only by its sum", lambda d: np.ones_like(d) * d.sum(0)),
    ("cotangent ignored", "dout enters only by its mean", lambda d: np.ones_like(d) * d.mean(0)),
    ("cotangent ignored", "dout enters only by its first entry", lambda d: np.ones_like(d) * d[:1]),
    ("cotangent twice", "dout is applied twice", lambda d: d * d),
    ("cotangent twice", "dout is applied twice, as dout·|dout|", lambda d: d * np.abs(d)),
    ("cotangent twice", "dout is applied three times", lambda d: d**3),
    ("not linear", "only the sign of dout is used", np.sign),
    ("not linear", "dout is clipped to ±1", lambda d: np.clip(d, -1, 1)),
    ("not linear", "dout is clipped to ±½", lambda d: np.clip(d, -0.5, 0.5)),
    ("not linear", "the negative part of dout is cut off", lambda d: np.maximum(d, 0)),
    ("not linear", "the positive part of dout is cut off", lambda d: np.minimum(d, 0)),
    ("not linear", "|dout| is used", np.abs),
    ("not linear", "dout is divided by its norm", lambda d: d / np.maximum(_norm(d), 1e-300)),
    ("not linear", "dout is divided by its largest entry", lambda d: d / np.maximum(np.abs(d).max(0), 1e-300)),
]


def _constant(clues: Clues) -> Iterator[Explanation]:
    """Wrong entries that do not move with dout."""
    claim, truth = clues.claim[clues.wrong], clues.truth[clues.wrong]
    if not len(claim) or np.ptp(clues.claim, axis=1)[clues.wrong].max() > clues.room:
        return
    if np.abs(claim).max() > clues.room and np.ptp(truth, axis=1).max() > clues.room:
        text = "where the gradient is wrong it does not depend on dout"
        yield Explanation("cotangent ignored", text, CHAIN, clues.sure(0.95))


def _averaged(clues: Clues) -> Iterator[Explanation]:
    """The gradient of a dout that was summed or averaged along some of its axes, and stretched again."""
    d = clues.dout.reshape(*clues.out_shape, -1)
    for axes in subsets(len(clues.out_shape)):
        mean = np.broadcast_to(d.mean(axes, keepdims=True), d.shape)
        count = int(np.prod([clues.out_shape[axis] for axis in axes]))
        for factor, word in ((1.0, "averaged"), (float(count), "summed")):
            if count > 1 and clues.agrees(clues.true_for(factor * mean.reshape(clues.dout.shape)), 2):
                text = f"it is the true gradient of a dout that is {word} over its {axes_named(axes)}"
                look = "a sum or mean of dout that stands before a product instead of behind it"
                yield Explanation("axis not summed", text, look, clues.sure(0.85))
