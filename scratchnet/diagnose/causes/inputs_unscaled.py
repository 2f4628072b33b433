"""Inputs that are not of the order of one."""

from __future__ import annotations

import math
from contextlib import suppress

from scratchnet.train.history import History
from scratchnet.train.history.records import InputLook, SplitFacts

from ..cause import Cause, Evidence, Found, NotKnownError, known
from ..readings import first_look, g, inputs, looks, train_facts

LARGE = 5.0
"""Root mean square above which inputs are too large: standardised ones have 1, pixels in [0, 1] about 0.3. First-layer
gradients grow with it, and the best learning rate falls with its square: at 5 it is 25 times off."""
SMALL = 0.02
"""Root mean square below which inputs are too small. One-hot words reach it too, but have a largest value of 1."""
FAINT = 0.1
"""A largest value below which nothing in the inputs is large."""
NORM = 1000.0  # of an input: a standardised one with 3,000 features has 55, and one with a million still no more
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
    """The training split as the network gets it, where the first batch does not tell the same already."""
    with suppress(NotKnownError):
        if in_a_batch(history):
            return None
    first = history.looks[0].layers if history.looks else ()
    kind = first[0].kind if first else None
    return None if kind == "Embedding" else _judge(train_facts(history), "training data", kind in FORGIVING)


@CAUSE.check
def in_the_gradients(history: History) -> Found | None:
    """Of a log that tells nothing but gradient norms. Of one sample dW = d xᵀ and db = d, so ‖dW‖/‖db‖ = ‖x‖."""
    every = looks(history)
    if any(look.inputs for look in every) or any(facts.minimum is not None for facts in history.data.values()):
        raise NotKnownError("")  # the range itself is known
    told = []
    for look in every:
        first = next((name for name in look.parameters if name.endswith("W")), "")
        dw, db = look.parameters.get(first), look.parameters.get(first[:-1] + "b")
        if dw and db and dw.gradient is not None and db.gradient:
            told.append((dw.gradient / db.gradient, dw.gradient, db.gradient, first, look.step))
    known(told or None, "the gradient norms of the first layer, ‖dW‖ and ‖db‖")
    norm, of_w, of_b, name, step = told[0]
    if not NORM < norm < math.inf:
        return None
    text = f"‖d{name}‖/‖d{name[:-1]}b‖ = {g(of_w, 4)}/{g(of_b, 4)} = {g(norm, 4)}: of one sample, the norm of its input"
    evidence = [Evidence(text, f"look {step}")]
    last = list(every[0].parameters.values())[-1].gradient or 0.0
    if abs(last - math.sqrt(2)) < 0.005:
        evidence.append(
            Evidence(f"the last bias's is {g(last, 4)} = √2: a softmax sure of a wrong class", f"look {step}")
        )
    return Found(0.85, *evidence)


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
