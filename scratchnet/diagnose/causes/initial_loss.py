"""A first loss that is far from that of knowing nothing."""

from __future__ import annotations

import math

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, known
from ..readings import classes, first_look, g, is_cross_entropy, outputs, pc
from ..series import course

ABOVE = 10.0
"""Nats above ln C. Logits of standard deviation σ cost up to σ² beyond ln C; He's initialisation gives σ of 1.4, but on
correlated pictures, or behind dropout, up to 8 nats are seen in networks that train well."""
BIASED = 1.2  # nats above ln C where a bias begins far from 0: by that the reason is known
BIAS = 2.0  # root mean square of a bias that begins far from 0; training itself brings it to 1
FIRST_EPOCH = 2.0  # times ln C, of a whole first epoch's mean: a network that is at work must do better

CAUSE = Cause(
    "initial-loss",
    title="The first loss is far from ln C",
    explanation="Before its first step a classifier knows nothing, and a loss of ln C says so. A much higher one "
    "means that the network is sure and wrong: its logits are too large, and the first steps are spent on taking that "
    "back.",
    remedy="Look at the scale of the inputs, the initialisation of the last layer and its bias; begin with small "
    "logits.",
    lesson="docs/doctor.md#initial-loss",
    leads_to=("loss-spike", "lr-too-high", "plateau", "dead-relu"),
)


@CAUSE.check
def at_the_first_step(history: History) -> Found | None:
    """The cross-entropy of the first logits."""
    look = first_look(history)
    out = outputs(look)
    loss, c = known(out.loss, "the first cross-entropy"), known(out.classes, "the number of classes")
    begun = {name: p for name, p in look.parameters.items() if name.rpartition(".")[2] in ("b", "bias")}
    sizes = [(p.weight / math.sqrt(p.size), name) for name, p in begun.items() if p.weight and p.size]
    biases = [one for one in sizes if one[0] > BIAS]
    if c < 2 or not loss > math.log(c) + (BIASED if biases else ABOVE):
        return None
    evidence = [Evidence(f"the first loss is {g(loss)}; ln {c} = {g(math.log(c))}", "step 1")]
    if biases:
        evidence.append(Evidence(f"{biases[-1][1]} begins with a root mean square of {g(biases[-1][0])}", "step 1"))
    if out.std is not None:
        evidence.append(Evidence(f"the logits' standard deviation is {g(out.std)}; 1 at most is due", "step 1"))
    if out.saturated is not None and out.saturated > 0.1:
        evidence.append(Evidence(f"the softmax is sure (p > 0.999) of {pc(out.saturated)} of the samples", "step 1"))
    return Found(0.88 if biases else 0.6, *evidence)


@CAUSE.check
def without_looks(history: History) -> Found | None:
    """The first loss that a file tells of."""
    known(None if history.looks else True, "")
    known(True if is_cross_entropy(history) else None, "a cross-entropy")
    c, told = classes(history), course(history)
    bound = math.log(c) + ABOVE if told.unit == "step" else FIRST_EPOCH * math.log(c)
    if c < 2 or told.first < bound:
        return None
    text = f"the first loss is {g(told.first)}; ln {c} = {g(math.log(c))}"
    return Found(0.5, Evidence(text, told.where(0)))
