"""A loss that leaps up and comes back."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

import numpy as np

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError, known
from ..readings import g, prior, step_of

SAMPLES = 16  # over which losses are averaged first: single samples leap by nature
WINDOW = 20  # such means before it, against which a leap is measured
LEAP = 3.0  # times the highest of that window
SEEN = 0.1  # of the loss of knowing nothing that a leap must reach to count
WORSE = 4.0  # times the loss of knowing nothing; a rough but healthy run leaps to 2 or 3 times it
SINGLE = 2.2  # the same, where there are no more than two leaps in a run that is smooth otherwise
ALONE = 3.0  # times the highest of all other means: none of a rough run's leaps stands out so far
HABIT = 10  # leaps from which on they are the way of the run: a batch or a rate leaps once to four times
JUMP = 5.0  # times the usual learning rate that a step had just before: then the reason is known,
JUMPED = 1.5  # and the loss need not leap so far
BACK = 60  # means within which a leap is over
EARLY = 10  # first means, in which a loss may leap as the weights find their size
LEAST = 60  # losses that can tell

CAUSE = Cause(
    "loss-spike",
    title="The loss leaps",
    explanation="One step throws the weights far: a batch unlike the others (a broken record, a wrong scale), or a "
    "gradient that is long now and then. What follows is spent on coming back.",
    remedy="Look at the batch of that step first. Clip the global norm of the gradient; a lower rate or a warm-up "
    "helps where leaps come by themselves.",
    lesson="docs/doctor.md#loss-spike",
    leads_to=("non-finite", "dead-relu"),
)


@CAUSE.check
def leaps(history: History) -> Found | None:
    """Means of 16 samples or more against those before, and against all others of the run."""
    losses = np.asarray(history.losses, float)
    known(len(losses) if len(losses) >= LEAST else None, f"the loss of {LEAST} steps or more")
    batch = next((look.batch for look in history.looks if look.batch), SAMPLES)
    width = max(1, math.ceil(SAMPLES / batch))
    means = losses[: len(losses) // width * width].reshape(-1, width).mean(1)  # (steps,) -> (groups,)
    nothing = float(np.median(means[:3]))
    with suppress(NotKnownError):
        nothing = max(nothing, prior(history))
    found = _leaps(means, nothing)
    if not 0 < len(found) <= HABIT or not nothing > 0:
        return None
    high, at, usual = max(found)
    apart = np.isfinite(means) & (np.arange(len(means)) >= EARLY)
    for _, i, _ in found:
        apart[i : i + BACK] = False
    small = [h for h, i, _ in found if abs(i - at) >= BACK and h < WORSE * nothing]
    others = max([*small, float(means[apart].max(initial=0.0))])
    step = at * width
    now, then = max(history.lrs[max(0, step - 2) : step + 1], default=0.0), float(np.median(history.lrs or [0.0]))
    jumped = now > JUMP * then > 0
    least = JUMPED if jumped else SINGLE if len(found) <= 2 else WORSE
    if high < least * nothing or (not jumped and high < ALONE * others):
        return None
    after = float(np.median(means[at + 1 :][:WINDOW])) if at + 1 < len(means) else high
    evidence = [Evidence(f"the loss leaps from about {g(usual)} to {g(high)}", step_of(history, step))]
    if jumped:
        evidence.append(Evidence(f"the learning rate was {g(now)}; {g(then)} is usual", step_of(history, step)))
    text = f"{len(found)} leaps in all; afterwards the loss is about {g(after)}"
    evidence.append(Evidence(text, f"of {g(len(losses))} losses"))
    return Found(0.8 if jumped else 0.7 if high > WORSE * nothing else 0.6, *evidence)


def _leaps(means: np.ndarray[Any, Any], nothing: float) -> list[tuple[float, int, float]]:
    """(height, index, the usual level before) of every leap that came back."""
    if len(means) <= max(EARLY, WINDOW):
        return []
    padded = np.concatenate([np.full(WINDOW, -np.inf), means[:-1]])
    tops = np.lib.stride_tricks.sliding_window_view(padded, WINDOW).max(1)  # tops[i]: of the means before i
    leapt = np.isfinite(means) & (means > LEAP * tops) & (means > SEEN * nothing)
    found, free = [], EARLY
    for i in np.flatnonzero(leapt).tolist():
        if i < free:  # within a leap
            continue
        after = means[i + 1 : i + 1 + BACK]
        after = after[np.isfinite(after)]
        if len(after) and after.min() < max(float(tops[i]), nothing):  # else it is no leap but a new course
            found.append((float(means[i]), i, float(np.median(means[max(0, i - WINDOW) : i]))))
        free = i + WINDOW
    return found
