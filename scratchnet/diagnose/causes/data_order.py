"""Batches of one class after the other."""

from __future__ import annotations

import math

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError, known
from ..readings import looks, pc, shares, train_facts

SORTED = 0.3  # of the way from chance to 1: classes in random order give 0, within a few hundredths
PURE = 0.3  # the same for the classes of a batch
ERRORS = 5.0  # standard errors above chance
BATCH = 8  # samples that tell of which classes a batch is

CAUSE = Cause(
    "data-order",
    title="The data come in the order of their classes",
    explanation="Every step then teaches one class and unlearns the others: the loss goes up and down with the order, "
    "and what is learned last wins. Batch statistics are those of one class.",
    remedy="Shuffle anew for every epoch.",
    lesson="docs/doctor.md#data-order",
    leads_to=(
        "class-imbalance",
        "loss-spike",
        "plateau",
        "late-divergence",
        "overfitting",
        "underfitting",
        "lr-too-high",
        "dead-relu",
        "momentum-diverges",
    ),
)


@CAUSE.check
def successors_alike(history: History) -> Found | None:
    """A sample's successor is of its class far more often than by chance."""
    facts = train_facts(history)
    alike = known(facts.neighbours_alike, "the order in which samples are taken")
    chance = sum(p * p for p in shares(known(facts.class_counts, "the samples of each class")))
    known(chance if chance < 1 else None, "more than one class")
    excess = (alike - chance) / (1 - chance)
    if excess < SORTED or alike - chance < ERRORS * math.sqrt(chance * (1 - chance) / facts.samples):
        return None
    text = f"{pc(alike)} of the samples are followed by one of their own class; by chance {pc(chance)}"
    return Found(min(0.95, 0.6 + 0.4 * excess), Evidence(text, "training data"))


@CAUSE.check
def batches_pure(history: History) -> Found | None:
    """Two samples of a batch are of one class far more often than two of the data."""
    counts = known(train_facts(history).class_counts, "the samples of each class")
    chance = sum(p * p for p in shares(counts))
    known(chance if chance < 1 else None, "more than one class")
    told = [(sum(c), c, look.step) for look in looks(history) if (c := look.class_counts) and sum(c) >= BATCH]
    if len(told) < 3:
        raise NotKnownError(f"the classes of batches of {BATCH} or more")
    pairs = sum(n * (n - 1) for n, _, _ in told)
    alike = sum(k * (k - 1) for _, c, _ in told for k in c) / pairs
    excess = (alike - chance) / (1 - chance)
    if excess < PURE:
        return None
    n, c, step = max(told, key=lambda one: max(one[1]) / one[0])
    text = f"{max(c)} of the {n} samples of a batch are of class {c.index(max(c))}"
    mean = f"two samples of one batch are of the same class in {pc(alike)} of all pairs; by chance {pc(chance)}"
    return Found(min(0.93, 0.55 + 0.4 * excess), Evidence(text, f"step {step}"), Evidence(mean, f"{len(told)} looks"))
