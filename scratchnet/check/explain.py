"""What kind of mistake makes a gradient wrong in just this way: hypotheses, each fitted to the residual.

A hypothesis turns the true gradient into the wrong one. It is offered where it explains the wrong entries to within the
noise, and ranked by how much it explains and how little freedom it needed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from scratchnet.core.types import Array


@dataclass(frozen=True)
class Explanation:
    """A likely mistake: its kind, what it is, where to look, and how sure (0 to 1)."""

    kind: str
    text: str
    look: str
    sure: float

    def __str__(self) -> str:
        return f"{'almost certainly' if self.sure > 0.9 else 'perhaps'} {self.kind}: {self.text}; look at {self.look}"


def explain(
    analytic: Array, numeric: Array, noise: float, sizes: Mapping[str, int], beside: Mapping[str, Array] | None = None
) -> list[Explanation]:
    """The likely mistakes, most likely first.

    Args:
        analytic: the gradient that the backward returned.
        numeric: the gradient of the function; NaN where it was not probed.
        noise: absolute error of `numeric`.
        sizes: extents that may have got into a factor, by name: {"axis 0 of out": 4}.
        beside: arrays shaped like the gradient that a missing term may hold as a factor: {"x": x, "out": out}.
    """
    probed = np.isfinite(numeric)
    if not probed.any():
        return []
    room = 1e-5 * float(np.abs(numeric[probed]).max()) + 4 * max(noise, 1e-12)
    wrong = np.zeros(analytic.shape, bool)
    wrong[probed] = np.abs(analytic[probed] - numeric[probed]) > room
    found = [
        *_scaled(analytic[probed], numeric[probed], room, sizes),
        *_rearranged(analytic, numeric, probed, room),
        *_masked(analytic, numeric, wrong, room),
        *_local(wrong, probed),
        *_term(analytic - numeric, probed, room, beside or {}),
    ]
    return sorted(found, key=lambda explanation: -explanation.sure)


def _scaled(given: Array, truth: Array, room: float, sizes: Mapping[str, int]) -> Iterator[Explanation]:
    """The whole gradient is off by one factor: zero, minus one, or one that has a name."""
    if np.abs(given).max() <= room:
        yield Explanation("gradient missing", "the backward returns zeros", "whether it is computed and returned", 0.99)
        return
    factor = float(given @ truth / max(truth @ truth, 1e-300))
    if np.abs(given - factor * truth).max() > room:
        return
    slack = 10 * room / float(np.abs(truth).max())
    if abs(factor + 1) <= slack:
        yield Explanation("sign", "the gradient is negated", "a minus sign", 0.99)
        return
    named = {2.0: "2", 0.5: "1/2", 3.0: "3", 1 / 3: "1/3", 4.0: "4", 0.25: "1/4", 2**0.5: "√2", 0.5**0.5: "1/√2"}
    for name, size in sizes.items():
        forms = {"{}": size, "1/{}": 1 / size, "√{}": math.sqrt(size), "1/√{}": size**-0.5}
        named |= {float(value): f"{form.format(size)}, {size} being {name}" for form, value in forms.items()}
    names = [name for value, name in named.items() if value != 1 and abs(abs(factor) / value - 1) <= slack]
    called = f" ({' or '.join(names)})" if names else ""
    text = f"the gradient is {factor:.6g}{called} times the true one"
    look = "a mean where a sum is due, or the reverse; a scale of the forward that the backward lacks or has twice"
    yield Explanation("constant factor", text, look, 0.97 if names else 0.95)


def _rearranged(a: Array, n: Array, probed: Array, room: float) -> Iterator[Explanation]:
    """The right numbers in the wrong places. `back` undoes the mistake: then the gradient is right where probed."""

    def mends(back: Array) -> str | None:
        for sign, text in ((1.0, ""), (-1.0, ", and negated")):
            if back.shape == a.shape and np.abs(sign * back[probed] - n[probed]).max() <= room:
                return text
        return None

    for axes in itertools.permutations(range(a.ndim)) if 2 <= a.ndim <= 4 else ():
        if axes != tuple(range(a.ndim)) and (sign := mends(a.transpose(axes))) is not None:
            name = "transposed" if a.ndim == 2 else f"permuted: its axes are in the order {axes}"
            yield Explanation(
                "transpose", f"the gradient is {name}{sign}", "a .T or transpose too many or too few", 0.97
            )
    for count in range(1, min(a.ndim, 3) + 1):
        for axes in itertools.combinations(range(a.ndim), count):
            if (sign := mends(np.flip(a, axes))) is not None:
                text = f"the gradient runs backwards along axis {', '.join(map(str, axes))}{sign}"
                yield Explanation("flip", text, "a kernel that must be flipped, or must not", 0.97)
    for shift in range(1, min(len(a), 9)) if a.ndim else ():
        if (sign := mends(np.roll(a, -shift, 0))) is not None:
            text = f"each row holds the gradient of the one {shift} before it{sign}"
            yield Explanation("rows mixed", text, "the index of axis 0", 0.95)


def _masked(a: Array, n: Array, wrong: Array, room: float) -> Iterator[Explanation]:
    """Zero where there is a gradient, or the reverse; right elsewhere."""
    gone, extra = wrong & (np.abs(a) <= room), wrong & (np.abs(np.nan_to_num(n)) <= room)
    everywhere = bool(wrong[np.isfinite(n)].all())  # then only a mask that is upside down makes both kinds of error
    if wrong.any() and (gone | extra)[wrong].all() and (not everywhere or (gone.any() and extra.any())):
        parts = [f"{int(gone.sum())} are zero that are not"] if gone.any() else []
        parts += [f"{int(extra.sum())} ought to be zero"] if extra.any() else []
        text = f"of the entries {' and '.join(parts)}, and no other is wrong"
        yield Explanation("mask", text, "the mask: is it of the right array, and is the comparison the forward's?", 0.8)


def _local(wrong: Array, probed: Array) -> Iterator[Explanation]:
    """Wrong in one place along an axis only: a border, a row, a last window."""
    for axis, size in enumerate(wrong.shape):
        others = tuple(i for i in range(wrong.ndim) if i != axis)
        at = np.flatnonzero(wrong.any(others))
        if size > 2 and 0 < len(at) <= max(1, size // 3) and len(at) < np.count_nonzero(probed.any(others)):
            edge = {0: "the first", size - 1: "the last"}
            place = " and ".join(edge.get(int(i), f"number {i}") for i in at[:4])
            text = f"only {place} of {size} along axis {axis} is wrong"
            yield Explanation("border", text, "padding, the last window, or an index that is off by one", 0.75)


def _term(residual: Array, probed: Array, room: float, beside: Mapping[str, Array]) -> Iterator[Explanation]:
    """Along an axis the error is one number, or one number times a known array: a summed term is missing or doubled."""
    if not probed.all() or np.abs(residual).max() <= room:
        return
    factors = {"": np.ones(residual.shape)} | {f" times {name}": array for name, array in beside.items()}
    for axis, size in enumerate(residual.shape):
        for name, array in factors.items() if size > 2 else ():
            weight = (array * array).sum(axis, keepdims=True)
            share = (residual * array).sum(axis, keepdims=True) / np.maximum(weight, 1e-300)
            if np.abs(residual - share * array).max() <= room:
                text = f"along axis {axis} the error is one number{name}"
                look = f"a sum or mean over axis {axis}{name} that is missing or counted twice, such as a statistic's"
                yield Explanation("term missing", text, look, 0.85)
