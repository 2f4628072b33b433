"""Weights that begin at zero, or next to it."""

from __future__ import annotations

import math

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, known
from ..readings import first_look, g, weights
from .symmetric_init import COPIES

TINY = 0.02
"""std · √fan_in, He's being 1.41: a layer that lets less than a fiftieth of its signal through. Two such layers leave a
gradient of a few ten thousandths."""

CAUSE = Cause(
    "zero-init",
    title="The weights begin at zero",
    explanation="A layer of zeros passes no signal and no gradient: what lies before it cannot learn, and its own "
    "units all stay the same. Weights next to zero do the same for very long.",
    remedy="Draw the weights at random with std = √(2/fan_in); only biases, and the last layer, may begin at zero.",
    lesson="docs/doctor.md#zero-init",
    leads_to=(
        "class-imbalance",
        "symmetric-init",
        "vanishing-gradients",
        "frozen-parameters",
        "dead-relu",
        "lr-too-low",
        "lr-too-high",
        "plateau",
        "underfitting",
    ),
)


@CAUSE.check
def begins_at_zero(history: History) -> Found | None:
    """std · √fan_in of every weight but the last, which may begin at zero."""
    look = first_look(history)
    told = list(weights(look).items())
    found = []
    for name, p in told[:-1]:
        size, fan_in = known(p.weight, "the weights' norms"), known(p.fan_in, "the weights' fan")
        spread = size / math.sqrt(known(p.size, "the weights' sizes"))  # about the mean would miss a constant
        alike = p.alike is not None and p.alike >= COPIES and size > 0  # it is not their size that is wrong
        if spread * math.sqrt(fan_in) < TINY and not alike:
            due = f"√(2/{fan_in}) = {g(math.sqrt(2 / fan_in))} is due"
            found.append(Evidence(f"{name} begins with a root mean square of {g(spread)}; {due}", "step 1"))
    if not found:
        return None
    zero = any(told[i][1].weight == 0 for i in range(len(told) - 1))
    return Found(0.96 if zero else 0.85, *found[:3])
