"""Inputs that are not of the order of one."""

from __future__ import annotations

import math

from scratchnet.train.history import History
from scratchnet.train.records import InputLook, SplitFacts

from ..cause import Cause, Evidence, Found, known
from ..readings import first_look, g, inputs, train_facts

LARGE = 5.0
"""Root mean square above which inputs are too large: standardised ones have 1, pixels in [0, 1] about 0.3. First-layer
gradients grow with it, and the best learning rate falls with its square: at 5 it is 25 times off."""
SMALL = 0.02
"""Root mean square below which inputs are too small. One-hot words reach it too, but have a largest value of 1."""
FAINT = 0.1
"""A largest value below which nothing in the inputs is large."""
FORGIVING = ("BatchNorm1d", "BatchNorm2d", "BatchNorm", "LayerNorm", "RMSNorm", "GroupNorm")
"""First layers that take the scale out themselves."""

CAUSE = Cause(
    "inputs-unscaled",
    title="The inputs are not scaled",
    explanation="A weight's gradient is the error signal times the layer's input. With pixels of 0..255 the first "
    "steps are hundreds of times too long for the weights; units die or saturate and stay so. It looks like too high "
    "a learning rate, but a rate that is small enough for the first layer is far too small for the others.",
    remedy="Scale the inputs: divide pixels by 255, or subtract the training set's mean and divide by its standard "
    "deviation. Leave the learning rate alone.",
    lesson="docs/doctor.md#inputs-unscaled",
    leads_to=(
        "dead-relu",
        "saturated-units",
        "exploding-gradients",
        "vanishing-gradients",
        "initial-loss",
        "lr-too-high",
        "lr-too-low",
        "momentum-diverges",
        "late-divergence",
        "loss-spike",
        "non-finite",
        "plateau",
        "underfitting",
        "class-imbalance",
    ),
)


@CAUSE.check
def in_a_batch(history: History) -> Found | None:
    """What reached the first layer."""
    look = first_look(history)
    layer = look.layers[0].kind if look.layers else None
    return None if layer == "Embedding" else _judge(inputs(look), "step 1", layer in FORGIVING)


@CAUSE.check
def in_the_data(history: History) -> Found | None:
    """The training split as the network gets it."""
    first = history.looks[0].layers if history.looks else ()
    kind = first[0].kind if first else None
    return None if kind == "Embedding" else _judge(train_facts(history), "training data", kind in FORGIVING)


def _judge(x: InputLook | SplitFacts, where: str, forgiven: bool) -> Found | None:
    low, high = known(x.minimum, "the inputs' range"), known(x.maximum, "the inputs' range")
    rms = math.hypot(known(x.mean, "the inputs' mean"), known(x.std, "the inputs' spread"))
    top = max(abs(low), abs(high))
    if not (rms > LARGE or (rms < SMALL and top < FAINT)) or not math.isfinite(rms):
        return None
    off = rms / LARGE if rms > LARGE else SMALL / max(rms, 1e-12)
    sure = min(0.97, 0.85 + 0.05 * math.log10(off) + (0.05 if top > 100 else 0.0))
    text = f"the inputs lie between {g(low)} and {g(high)}, root mean square {g(rms)} where about 1 is due"
    more = [Evidence(f"a sample's norm is {g(x.norm)}", where)] if x.norm is not None else []
    return Found(sure / 2 if forgiven else sure, Evidence(text, where), *more)
