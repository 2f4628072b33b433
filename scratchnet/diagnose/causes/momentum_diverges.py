"""An optimizer that remembers too long, or too little."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError
from ..readings import broken, g, grown, looks, optimizer, step_of, weights
from ..series import long
from ..skill import learned, short_of_it

HEAVY = 0.98  # momentum from which on a step carries the sum of 50 gradients and more
ROSE = 1.3  # times its beginning, or times its lowest level by the end: a loss that was carried away
GREW = 5.0  # times its first norm: a weight that was carried away, though the loss came back
BACK = 1.5  # times its lowest level that the loss is at again: momentum swings, and this far is away

CAUSE = Cause(
    "momentum-diverges",
    title="Momentum carries the weights away",
    explanation="With momentum m a step is the sum of all past gradients, 1/(1−m) of them at work at a time: 10 at "
    "0.9, 100 at 0.99. The same rate is then a hundred times as long, and turns too late. Adam needs β₁ < √β₂: with a "
    "shorter memory for the scale than for the direction its steps are not bounded.",
    remedy="momentum 0.9; with more, divide the rate by as much as 1/(1−m) grew. Adam: β₁ = 0.9, β₂ = 0.999.",
    lesson="docs/doctor.md#momentum-diverges",
    leads_to=(
        "class-imbalance",
        "lr-too-high",
        "loss-spike",
        "late-divergence",
        "non-finite",
        "dead-relu",
        "saturated-units",
        "plateau",
        "underfitting",
    ),
)


@CAUSE.check
def by_settings(history: History) -> Found | None:
    """A heavy momentum, or an Adam outside of its bounds, and a loss that was carried away."""
    name, given = optimizer(history)
    m, b1, b2 = (float(given.get(k, d)) for k, d in (("momentum", 0.0), ("beta1", 0.9), ("beta2", 0.999)))
    adam = name.lower().startswith(("adam", "nadam"))
    if adam and b1 * b1 >= b2:
        reason = f"{name} has β₁² = {g(b1 * b1)} ≥ β₂ = {g(b2)}"
    elif adam and b1 >= HEAVY:
        reason = f"{name} has β₁ = {g(b1)}: a step carries {g(1 / max(1 - b1, 1e-9))} gradients"
    elif not adam and m >= HEAVY:
        reason = f"{name} has momentum {g(m, 4)}: a step carries {'all' if m >= 1 else g(1 / (1 - m))} gradients"
    else:
        return None
    harm = _harm(history)
    if harm is None:
        return None
    return Found(0.93, Evidence(reason, "settings"), harm, *_carried(history, adam))


def _harm(history: History) -> Evidence | None:
    bad = broken(history)
    if bad is not None:
        return Evidence("the loss is no longer finite", step_of(history, bad))
    told = long(history)
    high = max(told.values[1:])
    if told.start > 0 and high > ROSE * told.start:
        return Evidence(f"the loss rose from {g(told.start)} to {g(high)}", told.where(told.values.index(high)))
    after = max(told.values[told.lowest :])
    if told.values[told.lowest] > 0 and after > BACK * told.values[told.lowest] + 5 * told.noise:
        text = f"the loss rose again from {g(told.values[told.lowest])} to {g(after)}"
        return Evidence(text, told.where(told.lowest))
    with suppress(NotKnownError):
        times, name, step = grown(history)
        if times > GREW:
            return Evidence(f"the norm of {name} grew {g(times)}-fold", f"step {step}")
    return None if learned(history) else next(iter(short_of_it(history)), None)


def _carried(history: History, adam: bool) -> list[Evidence]:
    """How many times lr · ‖gradient‖ the update is."""
    try:
        told = [(p.update / (look.lr * p.gradient), look.step) for look in looks(history) if look.lr
                for p in weights(look).values() if p.update and p.gradient]  # fmt: skip
    except NotKnownError:
        return []
    if adam or not told or not np.isfinite([x for x, _ in told]).all():
        return []
    most, step = max(told)
    return [Evidence(f"an update is {g(most)} times lr · gradient", f"step {step}")] if most > 2 else []
