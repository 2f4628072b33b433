"""Zero where there is a gradient, or the reverse; right elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from scratchnet.core.types import Array

from .clues import Clues
from .explanation import Explanation

LOOK = "the mask: is it of the right array, and is the comparison the forward's?"

COMPARED: list[tuple[str, Callable[[Array], Array]]] = [
    ("> 0", lambda a: a > 0), ("< 0", lambda a: a < 0), (">= 0", lambda a: a >= 0), ("<= 0", lambda a: a <= 0),
    ("> 1", lambda a: a > 1), ("< 1", lambda a: a < 1), ("!= 0", lambda a: a != 0),
]  # fmt: skip


def masks(clues: Clues) -> Iterator[Explanation]:
    """On the gradient, then on dout."""
    yield from _on_gradient(clues)
    yield from _on_dout(clues)
    yield from _two_sided(clues)
    yield from _branch(clues)
    if clues.rectified:
        side = "dout > 0" if clues.rectified > 0 else "dout < 0"
        yield Explanation("mask", f"only where {side} does dout reach the gradient", LOOK, 0.88)


def _on_gradient(clues: Clues) -> Iterator[Explanation]:
    small_claim, small_truth = np.abs(clues.claim) <= clues.room, np.abs(clues.truth) <= clues.room
    wrong = (np.abs(clues.claim - clues.truth) > clues.room) & clues.sound[:, None]
    gone, extra = wrong & small_claim, wrong & small_truth
    everywhere = bool(clues.wrong[clues.sound].all())  # then only a mask that is upside down makes both kinds of error
    if not wrong.any() or not (gone | extra)[wrong].all() or (everywhere and not (gone.any() and extra.any())):
        return
    parts = [f"{int(gone.any(1).sum())} are zero that are not"] if gone.any() else []
    parts += [f"{int(extra.any(1).sum())} ought to be zero"] if extra.any() else []
    text = f"of the entries {' and '.join(parts)}, and no other is wrong"
    kept, due = ~small_claim, ~small_truth
    names = list(_named(clues, kept, due | kept)) if gone.any() else []
    right = list(_named(clues, due, due | kept)) if extra.any() else []
    if names:
        text += f"; what is kept is where {' or '.join(names[:2])}"
    elif right:
        text += f"; the function's own mask is {' or '.join(right[:2])}"
    bits = int(wrong.any(1).sum())
    most = 0.93 if names or right else 0.8 if gone.any() else 0.62
    sure = most * (1 - 0.6 * 0.6**bits)
    yield Explanation("mask", text, LOOK, sure)


def _named(clues: Clues, kept: Array, seen: Array) -> Iterator[str]:
    """Comparisons that are true where something is kept and false where it is not. (P, K)"""
    for name, array in clues.known(clues.shape).items():
        for text, compare in COMPARED:
            if (compare(array.reshape(-1)[clues.at][:, None]) == kept)[seen].all():
                yield f"{name} {text}"
    for name, array in clues.beside.items():
        mask = array.reshape(-1)[clues.at][:, None] if array.dtype.kind == "b" and array.shape == clues.shape else ~kept
        if (mask == kept)[seen].all():
            yield name
        if array.dtype.kind in "iu" and array.ndim and array.shape == clues.shape[: array.ndim]:
            tall = array.reshape(array.shape + (1,) * (len(clues.shape) - array.ndim))
            label = np.broadcast_to(tall, clues.shape).reshape(-1)[clues.at][:, None]
            for value in np.unique(array)[:8]:
                if ((label != value) == kept)[seen].all():
                    yield f"{name} is not {value}"
    if clues.out_shape == clues.shape:
        for text, compare in COMPARED[:2]:
            if (compare(clues.dout[clues.at, : kept.shape[1]]) == kept)[seen].all():
                yield f"dout {text}"


def _on_dout(clues: Clues) -> Iterator[Explanation]:
    """The true gradient of a dout of which some entries are struck out by a mask that has a name, or by any."""
    if not clues.jacobian.size or not clues.out_shape or clues.elementwise:
        return
    for name, array in clues.known(clues.out_shape).items():
        for text, compare in COMPARED:
            mask = compare(array.reshape(-1))[:, None]
            if 0 < mask.sum() < mask.size and clues.agrees(clues.true_for(clues.dout * mask)):
                yield Explanation("mask", f"dout is kept only where {name} {text}", LOOK, clues.sure(0.93))
    for text, compare in COMPARED[:2]:
        if clues.agrees(clues.true_for(clues.dout * compare(clues.dout))):
            yield Explanation("mask", f"dout is kept only where dout {text}", LOOK, clues.sure(0.95))


def _two_sided(clues: Clues) -> Iterator[Explanation]:
    """The wrong entries are those of one sign of a known array, and all are off by one factor."""
    if not clues.linear or clues.wrong[clues.sound].all():
        return
    claim, truth = clues.claim[clues.wrong], clues.truth[clues.wrong]
    c = float((claim * truth).sum() / max((truth * truth).sum(), 1e-300))
    if abs(c) * np.abs(truth).max(initial=0.0) <= clues.room or np.abs(claim - c * truth).max(initial=0.0) > clues.room:
        return
    wrong = clues.wrong[:, None]
    for where in _named(clues, wrong, clues.sound[:, None] & (np.abs(clues.truth[:, :1]) > clues.room)):
        text = f"the entries where {where} are {c:.6g} times what they must be, and no other is wrong"
        yield Explanation("mask", text, "the branch of the forward that these entries take", clues.sure(0.85, 1, 0.6))
        return


def _branch(clues: Clues) -> Iterator[Explanation]:
    """A threshold on a known array tells the wrong entries from the right ones: one branch of the forward is wrong."""
    wrong = clues.wrong & clues.sound
    n, k = int(clues.sound.sum()), int(wrong.sum())
    if not clues.linear or not 2 <= k <= n - 2:
        return
    for name, array in clues.known(clues.shape).items():
        for text, a in ((name, array), (f"|{name.strip('()')}|", np.abs(array))):
            values = a.reshape(-1)[clues.at]
            bad, good = values[wrong], values[clues.sound & ~wrong]
            for side, low, high in (("above", good.max(), bad.min()), ("below", bad.max(), good.min())):
                if low >= high:
                    continue
                names = [f"{fact}, {value:.4g}" for fact, value in clues.facts.items() if low <= value <= high]
                zero = ["0"] if low <= 0 <= high else []
                at = (names + zero + [f"a bound between {low:.4g} and {high:.4g}"])[0]
                chance = 4.0 / math.comb(n, k) * 4 if n < 500 else 0.0
                full = f"just the entries where {text} is {side} {at}, are wrong: one branch of the forward"
                sure = (0.78 if names or zero else 0.68) * max(0.3, 1 - chance)
                yield Explanation("mask", full, "the branch of the forward that these entries take", sure)
                return
