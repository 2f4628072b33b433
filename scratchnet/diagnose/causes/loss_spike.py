"""A loss that leaps up and comes back."""

from __future__ import annotations

import math

import numpy as np

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, known
from ..readings import g, step_of

SAMPLES = 16  # over which losses are averaged first: single samples leap by nature
WINDOW = 20  # such means before it, against which a leap is measured
LEAP = 5.0  # times the highest of that window
WORSE = 4.0  # times the first loss: far worse than knowing nothing; rough but healthy runs leap to 2 or 3 times it
BACK = 60  # means within which a leap is over
ALONE = 3.0  # times the highest of all other means: a rough run leaps all the time, and none of its leaps stands out
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
    """Means of 16 samples or more against the highest of those before."""
    losses = np.asarray(history.losses, float)
    known(len(losses) if len(losses) >= LEAST else None, f"the loss of {LEAST} steps or more")
    batch = next((look.batch for look in history.looks if look.batch), SAMPLES)
    width = max(1, math.ceil(SAMPLES / batch))
    means = losses[: len(losses) // width * width].reshape(-1, width).mean(1)  # (steps,) -> (groups,)
    first = float(np.median(means[:3]))
    found = []
    i = EARLY
    while i < len(means):
        before = means[max(0, i - WINDOW) : i]
        top = float(before.max())
        if np.isfinite(means[i]) and means[i] > LEAP * top and means[i] > WORSE * first and first > 0:
            after = means[i + 1 : i + 1 + BACK]
            after = after[np.isfinite(after)]
            if len(after) and after.min() < max(top, first):  # else it is no leap but a new course
                found.append((float(means[i]), float(np.median(before)), i * width + 1))
            i += WINDOW
        else:
            i += 1
    near = {k for _, _, step in found for k in range((step - 1) // width, (step - 1) // width + BACK)}
    rest = [m for k, m in enumerate(means) if k >= EARLY and k not in near and np.isfinite(m)]
    if not found or max(found)[0] < ALONE * max(rest, default=0.0):
        return None
    high, usual, step = max(found)
    after = float(np.median(means[(step - 1) // width + 1 :][:WINDOW])) if step < len(losses) else high
    text = f"the loss leaps from about {g(usual)} to {g(high)}"
    rates = history.lrs
    now, then = (rates[step - 1], rates[step - 2]) if 1 < step <= len(rates) else (1.0, 1.0)
    rate = (
        [Evidence(f"the learning rate was {g(now)}, and {g(then)} before", step_of(history, step - 1))]
        if now > 2 * then
        else []
    )
    when = step_of(history, step - 1)
    more = Evidence(f"{len(found)} such leaps; afterwards the loss is about {g(after)}", f"of {g(len(losses))} losses")
    return Found(0.7 if high > 10 * LEAP * usual else 0.6, Evidence(text, when), *rate, more)
