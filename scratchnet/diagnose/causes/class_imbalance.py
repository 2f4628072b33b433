"""A class so frequent that naming it always pays."""

from __future__ import annotations

import math

import numpy as np

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError, known
from ..readings import HELD_OUT, broken, classes, g, pc, train_facts
from .underfitting import narrow

HEAVY = 5.0  # times the rarest class that the commonest must be
ABOVE = 0.2  # of the way from an even share to 1 that the commonest class must have: else naming it does not pay
NEGLECTED = 0.85  # recall of the rare classes, as a share of that of the commonest: they are given up
ERRORS = 1.5  # standard errors that the recall must stay below that
LEAST = 10  # samples of rare classes that a recall must be measured on
ALONE = 10.0  # times every other class: then they fill no validation split, and the few samples that there are must do
SPARED = 0.5  # of the certainty where a layer is too narrow to hold all classes: then it gives up the rare ones by need
SEEN = 0.5  # recall of the commonest class: below it the network does not even know that one

CAUSE = Cause(
    "class-imbalance",
    title="The classes are heavily imbalanced",
    explanation="The loss is a mean over samples: where one class makes up most of them, naming it always is cheap, "
    "and the rare classes hardly ever pull. Accuracy looks well and says nothing.",
    remedy="Weigh the classes in the loss by 1/frequency, or draw batches with equal shares; watch per-class accuracy.",
    lesson="docs/doctor.md#class-imbalance",
    leads_to=("plateau", "underfitting", "overfitting"),
)


@CAUSE.check
def rare_classes_lost(history: History) -> Found | None:
    """Imbalance in the counts, and rare classes that are not found."""
    counts = known(train_facts(history).class_counts, "the samples of each class")
    n = np.asarray(counts, float)
    present = n[n > 0]
    even = 1 / len(n)
    if len(present) < 2 or present.max() < HEAVY * present.min() or n.max() / n.sum() - even < ABOVE * (1 - even):
        return None
    most = int(n.argmax())
    rare = [c for c in range(len(n)) if 0 < n[c] * HEAVY <= n[most]]
    alone = all(n[c] * ALONE <= n[most] for c in range(len(n)) if c != most)
    known(True if broken(history) is None else None, "the answers of a network whose numbers are finite")
    for names in (HELD_OUT, ("train",)):
        last = [(name, *of[-1]) for name in names if (of := history.measured(name))]
        told = [(name, epoch, m.matrix) for name, epoch, m in last if m.matrix is not None]
        told = [one for one in told if len(one[2]) == len(told[0][2])]
        if not told:
            continue
        m = np.sum([matrix for *_, matrix in told], 0, float)
        rows = m.sum(1)
        asked = [c for c in rare if c < len(rows) and rows[c]]
        if len(rows) != classes(history) or not asked or not rows[most]:
            continue
        common = m[most, most] / rows[most]
        samples = sum(rows[c] for c in asked)
        if samples < LEAST and not alone:
            continue
        recall = sum(m[c, c] for c in asked) / samples
        error = math.sqrt(max(recall * (1 - recall), 1 / samples) / samples)
        doubt = 0.0 if alone else ERRORS * error
        if common < SEEN or recall + doubt > NEGLECTED * common:
            if samples < LEAST:
                continue
            return None
        size = f"class {most} has {g(n[most])} samples ({pc(n[most] / n.sum())}), the rarest class {g(present.min())}"
        text = f"{pc(common)} of class {most} are found, {pc(recall)} of {g(samples)} samples of rare classes"
        sure = min(0.95, 0.7 + 0.05 * np.log2(n[most] / present.min() / HEAVY) + 0.15 * (1 - recall / common))
        where = f"{' and '.join(name for name, *_ in told)}, epoch {told[-1][1]}"
        sure *= SPARED if narrow(history) else 1.0
        return Found(float(sure), Evidence(size, "training data"), Evidence(text, where))
    raise NotKnownError("a confusion matrix")
