"""A loss that does not move."""

from __future__ import annotations

import numpy as np

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError
from ..readings import g, pc, prior, step_of
from ..series import Course, long
from ..skill import skill

LEAST = 8  # stretches that a course must have
FLAT = 0.01  # of the level that the loss may still fall by over the stretch called flat
POOR = 0.5  # skill that a network on a plateau has at most: flat at the end of learning is no plateau
NOTHING = 0.05  # skill that is none
LEFT = 0.2  # of the loss of knowing nothing that must be left where the rate was cut: else learning was done
CUT = 20.0  # times that the learning rate fell before the loss stood still
STOPPED = 1000.0  # times: a rate that fell so far for good ended the training, at whatever level
SOME = 0.05  # of the loss of knowing nothing that is left then
STILL = 0.5  # of the run that the plateau must last for

CAUSE = Cause(
    "plateau",
    title="The loss stands still",
    explanation="The loss keeps its level for most of the run, far above what the network could reach: no gradient "
    "arrives, or the steps have become too short to leave the place.",
    remedy="Look at the other findings first: a plateau has a cause. If the learning rate fell before it, let it fall "
    "later or less; else begin elsewhere (another seed), with momentum, or with a higher rate.",
    lesson="docs/doctor.md#plateau",
    leads_to=("underfitting", "frozen-validation"),
)


@CAUSE.check
def flat(history: History) -> Found | None:
    """No trend over the second half, or from a fall of the learning rate on, and little learned."""
    told = long(history, LEAST)
    try:
        able = skill(history)
    except NotKnownError:
        able = 1 - told.end / prior(history)
    begin = len(told.values) - int(STILL * len(told.values))
    cut = _cut(history, told)
    if cut is not None:
        begin = max(cut[0], 1)
    level, slope = _trend(told.values[begin:])
    moved = abs(slope) * (len(told.values) - begin)
    undone = cut is not None and level > (SOME if cut[1] > STOPPED * cut[2] else LEFT) * prior(history)
    if (
        (able > POOR and not undone)
        or level <= 0
        or len(told.values) - begin < 3
        or moved > FLAT * level + 2 * told.noise
    ):
        return None
    text = f"the loss stays at {g(level, 4)}, within {pc(moved / level)}"
    where = f"{told.where(begin)} to {told.at[-1]}"
    evidence = [Evidence(text, where), Evidence(f"skill is {pc(max(able, 0))} of what there is", "training data")]
    if cut is not None and undone:
        _, before, after, step = cut
        evidence.insert(
            0, Evidence(f"the learning rate fell from {g(before)} to {g(after)}", step_of(history, step - 1))
        )
        return Found(0.85, *evidence)
    return Found(0.35 if able > NOTHING else 0.45, *evidence)


def _trend(values: tuple[float, ...]) -> tuple[float, float]:
    """The median level and Theil–Sen's slope: the median of the slopes of all pairs."""
    v = np.asarray(values)
    i, j = np.triu_indices(len(v), 1)
    return float(np.median(v)), float(np.median((v[j] - v[i]) / (j - i))) if len(i) else 0.0


def _cut(history: History, told: Course) -> tuple[int, float, float, int] | None:
    """(stretch, rate before, rate after, step) of a lasting fall of the learning rate in the first half."""
    rates = np.abs(np.asarray(history.lrs, float))
    if told.unit != "step" or len(rates) < 4 or not np.isfinite(rates).all() or rates.max() <= 0:
        return None
    low = rates[len(rates) // 2 :].max()
    if low * CUT > rates.max():
        return None
    step = int(np.flatnonzero(rates > CUT * low)[-1]) + 2 if low > 0 else int(np.flatnonzero(rates > 0)[-1]) + 2
    stretch = next((i for i, at in enumerate(told.at) if at >= step), len(told.at) - 1)
    return stretch, float(rates.max()), float(low), step
