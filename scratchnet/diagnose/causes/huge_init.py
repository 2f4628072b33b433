"""Weights that begin too large."""

from __future__ import annotations

import math

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, known
from ..readings import fresh_look, g, weights
from .wrong_fan import by_fan_out

LARGE = 4.0
"""std · √fan_in: He's initialisation has 1.41, so this one enlarges a ReLU layer's signal about three times, and the
next layer's does so again."""

CAUSE = Cause(
    "huge-init",
    title="The weights begin too large",
    explanation="Every layer enlarges its signal by std · √(fan_in/2) at ReLU. Large logits make the first loss high "
    "and the softmax or the tanh saturate; gradients are far too long for the usual learning rates.",
    remedy="Initialise with std = √(2/fan_in) (ReLU) or √(1/fan_in) (tanh, sigmoid).",
    lesson="docs/doctor.md#huge-init",
    leads_to=(
        "initial-loss",
        "exploding-gradients",
        "saturated-units",
        "vanishing-gradients",
        "dead-relu",
        "lr-too-high",
        "lr-too-low",
        "momentum-diverges",
        "loss-spike",
        "non-finite",
        "late-divergence",
        "plateau",
        "underfitting",
        "overfitting",
    ),
)


@CAUSE.check
def too_large(history: History) -> Found | None:
    """std · √fan_in of every weight, except those whose spread a wrong fan explains."""
    look = fresh_look(history)
    kinds = {layer.path: layer.kind for layer in look.layers}
    found = []
    for name, p in weights(look).items():
        std, fan_in = known(p.std, "the weights' spread"), known(p.fan_in, "the weights' fan")
        large = std * math.sqrt(fan_in)
        if large > LARGE and by_fan_out(p) is None and kinds.get(name.rpartition(".")[0]) != "Embedding":
            text = f"{name} begins with std {g(std)}; √(2/{fan_in}) = {g(math.sqrt(2 / fan_in))} is due"
            found.append((large, Evidence(text, "step 1")))
    if not found:
        return None
    found.sort(key=lambda one: -one[0])
    return Found(min(0.96, 0.75 + 0.08 * math.log2(found[0][0] / LARGE)), *[evidence for _, evidence in found[:3]])
