"""Weights that never move."""

from __future__ import annotations

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError
from ..readings import g, looks, weights

STILL = 1e-9  # update/weight ratio below rounding: 32-bit weights do not move by less
LOOKS = 3  # at the least; the first one may follow a schedule that begins at 0

CAUSE = Cause(
    "frozen-parameters",
    title="Parameters never move",
    explanation="A weight that is marked as frozen, was left out of the optimizer or gets no gradient keeps its "
    "random start: the layers after it must make do with random features.",
    remedy="Find why: a frozen flag, a rate multiplier of 0, a part that is cut off from the loss (detached, "
    "multiplied by 0), or units before or after it that are dead.",
    lesson="docs/doctor.md#frozen-parameters",
    leads_to=("class-imbalance", "plateau", "underfitting", "lr-too-low"),
)


@CAUSE.check
def never_moved(history: History) -> Found | None:
    """Updates of 0 at all looks but the first, while others move or the gradient is there."""
    every = looks(history)
    later = every[1:] if len(every) > LOOKS else every
    names = [name for name, p in weights(every[0]).items() if p.update is not None]
    if not names or len(later) < LOOKS:
        raise NotKnownError(f"the updates of the weights at {LOOKS} looks or more")
    evidence, marked, sizes = [], False, 0
    for name in names:
        told = [look.parameters[name] for look in later if name in look.parameters]
        moved = [p.update / p.weight for p in told if p.update is not None and p.weight]
        if len(moved) < LOOKS or not max(moved) <= STILL:  # NaN is no rest
            continue
        gradient = max((p.gradient or 0.0 for p in told), default=0.0)
        marked |= bool(told[-1].frozen)
        sizes += told[-1].size or 0
        why = "it is marked as frozen" if told[-1].frozen else "its gradient is 0" if not gradient else ""
        text = f"{name}: update 0 at {len(moved)} looks; " + (why or f"its gradient's norm is up to {g(gradient)}")
        evidence.append(Evidence(text, f"step {later[0].step} to {later[-1].step}"))
    if not evidence:
        return None
    share = len(evidence) / len(names)
    return Found(0.85 if marked or share < 1 else 0.8, *evidence[:4])
