"""A first loss that is far from that of knowing nothing."""

from __future__ import annotations

import math

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, known
from ..readings import classes, first_look, g, is_cross_entropy, outputs, pc
from ..series import course

ABOVE = 2.5
"""Nats above ln C. Logits of standard deviation σ cost about σ² beyond ln C, and He's initialisation on standardised
inputs gives σ up to 1.4, so 2; on real pictures up to 2.1 was seen over five draws."""
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
    out = outputs(first_look(history))
    loss, c = known(out.loss, "the first cross-entropy"), known(out.classes, "the number of classes")
    if c < 2 or not loss > math.log(c) + ABOVE:
        return None
    evidence = [Evidence(f"the first loss is {g(loss)}; ln {c} = {g(math.log(c))}", "step 1")]
    if out.std is not None:
        evidence.append(Evidence(f"the logits' standard deviation is {g(out.std)}; 1 at most is due", "step 1"))
    if out.saturated is not None and out.saturated > 0.1:
        evidence.append(Evidence(f"the softmax is sure (p > 0.999) of {pc(out.saturated)} of the samples", "step 1"))
    return Found(min(0.75, 0.5 + 0.1 * math.log2((loss - math.log(c)) / ABOVE)), *evidence)


@CAUSE.check
def without_looks(history: History) -> Found | None:
    """The first loss that a file tells of."""
    known(None if history.looks else True, "this check is for runs without looks")
    known(True if is_cross_entropy(history) else None, "a cross-entropy")
    c, told = classes(history), course(history)
    bound = math.log(c) + ABOVE if told.unit == "step" else FIRST_EPOCH * math.log(c)
    if c < 2 or told.first < bound:
        return None
    text = f"the first loss is {g(told.first)}; ln {c} = {g(math.log(c))}"
    return Found(0.5, Evidence(text, told.where(0)))
