"""Steps that lead nowhere in the time given."""

from __future__ import annotations

import numpy as np

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError
from ..readings import g, looks, pc, weights
from ..series import long
from ..skill import able, learned

PATH = 0.2
"""Sum of all updates against the weights: had every one pointed the same way, the weights would have moved by this
share of themselves. Runs that learn go more than their own length, whatever their rate."""
SHORT = 1e-3  # update/weight ratio: above it a longer run will do, and the rate is no suspect
LITTLE = 0.9  # of the loss that is gone at the end: more was learned than a rate that is too low allows
EPOCHS = 3  # over which a healthy run gets somewhere
POOR = 0.5  # skill below which it has not
STRAIGHT = 0.4  # the same as LINEAR where nothing but the curve speaks
FALLEN = 0.05  # of the loss that must have gone: a plateau is another matter
LINEAR = 0.15  # the second half of the descent against the first, at the least: a curve that bends has got somewhere

CAUSE = Cause(
    "lr-too-low",
    title="The learning rate is too low",
    explanation="The loss falls in a straight line without ever bending: the weights have hardly left where they "
    "began. More epochs at this rate help about as much as they are many.",
    remedy="Multiply the learning rate by 10 as long as the loss still falls smoothly; updates of about a thousandth "
    "of the weights are usual.",
    lesson="docs/doctor.md#lr-too-low",
    leads_to=("class-imbalance", "underfitting", "plateau"),
)


@CAUSE.check
def hardly_moved(history: History) -> Found | None:
    """The way that the weights can have gone, and a loss that still falls as at the beginning."""
    told = []
    for look in looks(history):
        ratios = [p.update / p.weight for p in weights(look).values() if p.update is not None and p.weight]
        if ratios:
            told.append((look.step, float(np.max(ratios))))
    steps = max(len(history.losses) * history.stride, history.looks[-1].step)
    if len(told) < 3:
        raise NotKnownError("the updates of the weights")
    at, ratio = zip(*told, strict=True)
    path = float(np.interp(np.arange(1, steps + 1), at, ratio).sum())
    typical = float(np.median(ratio))
    if path > PATH or typical > SHORT or typical == 0:
        return None
    course = long(history)
    begun = course.values[0]
    fallen = begun - course.end
    if begun <= 0 or fallen > LITTLE * begun or learned(history):
        return None
    bent = fallen > 4 * course.noise and (course.middle - course.end) < LINEAR * (begun - course.middle)
    if bent:
        return None
    moved = f"{g(steps)} updates of {g(typical)} of the weights' norm: a way of {pc(path)} of the weights, all together"
    text = f"the loss went from {g(begun, 4)} to {g(course.end, 4)} and does not bend"
    return Found(0.85 if path < PATH / 3 else 0.7, Evidence(moved, "all steps"), Evidence(text, course.where(-1)))


@CAUSE.check
def still_falling(history: History) -> Found | None:
    """After several epochs the loss still falls as at the beginning, and little has been learned."""
    if len(history.epochs) < EPOCHS:
        raise NotKnownError(f"{EPOCHS} epochs or more")
    course = long(history, 2 * EPOCHS if history.losses else EPOCHS)
    begun, end = course.values[0], course.end
    half = course.middle
    straight = (half - end) > STRAIGHT * (begun - half)
    if able(history) > POOR or begun - end < max(6 * course.noise, FALLEN * begun) or not straight or half >= begun:
        return None
    text = f"the loss falls from {g(begun)} by {g(begun - half)} in the first half, by {g(half - end)} in the second"
    more = Evidence(
        f"skill is {pc(max(able(history), 0))} of what there is, after {len(history.epochs)} epochs", "training data"
    )
    return Found(0.45, Evidence(text, course.where(-1)), more)
