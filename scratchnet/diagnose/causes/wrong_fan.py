"""An initial spread that fits the wrong count of connections."""

from __future__ import annotations

import math

from scratchnet.train.history import History
from scratchnet.train.history.records import ParameterLook

from ..cause import Cause, Evidence, Found, known
from ..readings import fresh_look, g, weights

LARGE = 2.5
"""std · √fan_in from which on a weight enlarges its signal beyond all rules: He's has 1.41, Glorot's at most that."""
SLACK = 0.04  # relative distance from a formula's std; a drawn std adds 1/√(2 size) of its own
GAINS = {"√2": math.sqrt(2), "1": 1.0}  # of He and of LeCun

CAUSE = Cause(
    "wrong-fan",
    title="A weight was initialised by the wrong fan",
    explanation="A sum over fan_in inputs keeps its scale when the weights' variance is of the order of 1/fan_in. "
    "Drawn by the number of outputs instead, the last layer of a classifier comes out several times too large.",
    remedy="Use fan_in for the forward scale (He: std = √(2/fan_in)); make the last layer's weights smaller still.",
    lesson="docs/doctor.md#wrong-fan",
    leads_to=(
        "initial-loss",
        "exploding-gradients",
        "vanishing-gradients",
        "saturated-units",
        "dead-relu",
        "lr-too-high",
        "momentum-diverges",
        "loss-spike",
        "non-finite",
        "late-divergence",
        "plateau",
        "underfitting",
    ),
)


@CAUSE.check
def fits_fan_out(history: History) -> Found | None:
    """std against √(gain²/fan_out), where that is far from the rule for fan_in."""
    look, evidence, worst = fresh_look(history), [], 0.0
    for name, p in weights(look).items():
        hit = by_fan_out(p)
        if hit is None:
            continue
        gain, fan_out = hit
        std, fan_in = known(p.std, "the weights' spread"), known(p.fan_in, "the weights' fan")
        text = f"{name} has std {g(std)} = {gain}/√{fan_out}, of its outputs; {gain}/√{fan_in} = "
        evidence.append(Evidence(text + g(GAINS[gain] / math.sqrt(fan_in)) + " is due, of its inputs", "step 1"))
        worst = max(worst, std * math.sqrt(fan_in))
    if not evidence:
        return None
    return Found(min(0.95, 0.8 + 0.05 * math.log2(worst / LARGE)), *evidence[:3])


def by_fan_out(p: ParameterLook) -> tuple[str, int] | None:
    """The gain and the fan_out by which its spread seems to have been chosen, if it is too large for its fan_in."""
    if not p.size or not p.fan_in or not p.std or p.std * math.sqrt(p.fan_in) < LARGE:
        return None
    outputs, slack = p.size // p.fan_in, SLACK + 3 / math.sqrt(2 * p.size)
    for window in (1, 9, 25, 49, 3, 5, 7):  # of a convolution: fan_out = outputs · window
        if window > 1 and p.fan_in % window:
            continue
        for gain, value in GAINS.items():
            if abs(p.std / (value / math.sqrt(outputs * window)) - 1) < slack:
                return gain, outputs * window
    return None
