"""Best at the beginning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError, known
from ..readings import accuracy, g, pc, step_of
from ..series import long
from ..skill import MOSTLY, learned

LEAST = 6  # stretches that a course must have
GOOD = 0.9  # of the first level that the loss must have come down to: before it diverges it must have learned
QUIET = 0.1  # of the epochs that a loss kept its level for: an epoch's mean is low already if much was learned in it
ROSE = 1.5  # times its lowest at the end
LEFT = 0.15  # of the run that lies behind the lowest stretch, at the least
HEALS = 0.3  # of its highest: a loss that has come down so far again leapt, and did not drift
CHANGED = 3.0  # times that the learning rate grew on the way

CAUSE = Cause(
    "late-divergence",
    title="The run diverges after a good start",
    explanation="The best weights were those of the beginning; later ones undo them. Something changed on the way: "
    "the learning rate rose, a further term of the loss was switched on, or steps that were just short enough no "
    "longer are.",
    remedy="Look at what changed at that step (schedule, weights of loss terms, data). Keep the best checkpoint; let "
    "the learning rate fall towards the end.",
    lesson="docs/doctor.md#late-divergence",
    leads_to=("non-finite", "overfitting"),
)


@CAUSE.check
def training_loss(history: History) -> Found | None:
    """The training loss falls, turns, and ends far above its lowest."""
    told = long(history, LEAST)
    if told.unit == "step":  # one low stretch is luck: the level of several around it is not
        told = replace(told, values=_levels(told.values))
    low = told.values[told.lowest]
    behind = 1 - (told.lowest + 1) / len(told.values)
    noise = 6 * told.noise
    quiet = next((i for i, v in enumerate(told.values) if v > ROSE * low and i > told.lowest), 0) / len(told.values)
    fell = low <= GOOD * told.values[0] or (told.unit == "epoch" and quiet > QUIET)
    if behind < LEFT or not fell or told.end < ROSE * low + noise or low <= 0 or not told.end > 0:
        return None
    if learned(history, MOSTLY):  # a small loss wavers by large factors
        return None
    rise = told.values[told.lowest :]
    climbing = float(np.mean(np.diff(rise) > 0)) if len(rise) > 2 else 1.0
    back = told.end > low + 0.3 * max(told.values[0] - low, 0.0)  # a good part of what was learned is lost
    if not back:
        return None
    text = f"the loss fell from {g(told.values[0])} to {g(low)} and rose again to {g(told.end)}"
    evidence = [Evidence(text, told.where(told.lowest))]
    rates = np.asarray(history.lrs, float)
    grown = False
    if told.unit == "step" and len(rates) > 1 and np.isfinite(rates).all() and rates[0] > 0:
        at = min(told.at[told.lowest], len(rates)) - 1
        later = rates[at:].max()
        if rates[-1] > CHANGED * rates[: at + 1].min() and later > rates[at]:
            when = step_of(history, at + int(np.argmax(rates[at:])))
            evidence.append(Evidence(f"the learning rate rose from {g(rates[at])} to {g(later)}", when))
            grown = True
    leapt = told.end < HEALS * max(rise) and climbing < 0.6
    return Found(0.88 if grown else 0.5 if leapt else 0.75, *evidence)


def _levels(values: tuple[float, ...]) -> tuple[float, ...]:
    """The median of each stretch and its neighbours, two on either side."""
    return tuple(float(np.median(values[max(0, i - 2) : i + 3])) for i in range(len(values)))


@CAUSE.check
def best_epoch(history: History) -> Found | None:
    """Training accuracy, or validation accuracy with the training loss, was best early and is far worse at the end."""
    known(None if len(history.losses) > LEAST else True, "")
    told = [(e, r) for e, m in history.measured("train") if (r := accuracy(m)) is not None and (r or m.loss)]
    if len(told) < 3:  # a loss and a rate of 0 are those of no batch
        raise NotKnownError("the training accuracy of three epochs or more")
    best, top = max(told, key=lambda one: one[1])
    end, last = told[-1]
    if top - last < 0.3 * top or best == end:
        return None
    return Found(0.7, Evidence(f"training accuracy was best with {pc(top)} and ends at {pc(last)}", f"epoch {best}"))
