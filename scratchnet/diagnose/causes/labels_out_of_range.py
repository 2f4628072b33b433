"""Labels that no output stands for."""

from __future__ import annotations

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError
from ..readings import g

CAUSE = Cause(
    "labels-out-of-range",
    title="Labels are out of range",
    explanation="A network with C outputs can name the classes 0 to C−1. A label outside is an error at best; read as "
    "an index from the end, or clipped, it teaches a wrong class.",
    remedy="Map the labels to 0..C−1 (classes that count from 1 are the usual case), or give the network an output "
    "for every class.",
    lesson="docs/doctor.md#labels-out-of-range",
    leads_to=("non-finite", "initial-loss", "plateau", "underfitting", "frozen-validation", "late-divergence"),
)


@CAUSE.check
def in_the_data(history: History) -> Found | None:
    """The smallest and the largest label of each split."""
    evidence, asked = [], 0
    for name, facts in history.data.items():
        low, high, c = facts.label_minimum, facts.label_maximum, facts.classes
        if low is None or high is None or c is None:
            continue
        asked += 1
        if low < 0 or high >= c:
            evidence.append(Evidence(f"labels from {low} to {high}, but the outputs stand for 0 to {c - 1}", name))
    if not asked:
        raise NotKnownError("the range of the labels")
    return Found(1.0, *evidence) if evidence else None


@CAUSE.check
def in_batches(history: History) -> Found | None:
    """Labels of a batch that no class has."""
    told = [(look.outside, look) for look in history.looks if look.outside is not None]
    if not told:
        raise NotKnownError("the labels of batches")
    bad = [(n, look) for n, look in told if n]
    if not bad:
        return None
    most, look = max(bad, key=lambda one: one[0])
    return Found(1.0, Evidence(f"{g(most)} labels of a batch of {look.batch} stand for no output", f"step {look.step}"))


@CAUSE.check
def in_the_end(history: History) -> Found | None:
    """A loss that refused them ended the run."""
    if history.end is None or history.end.message is None:
        raise NotKnownError("how the run ended")
    text = history.end.message
    refused = "label" in text and "range" in text
    return Found(0.95, Evidence(f"the run ended with: {text.splitlines()[0]}", "end")) if refused else None
