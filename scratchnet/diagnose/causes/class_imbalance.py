"""A class so frequent that naming it always pays."""

from __future__ import annotations

import numpy as np

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError, known
from ..readings import classes, g, pc, train_facts

HEAVY = 5.0  # times the rarest class that the commonest must be
ABOVE = 0.2  # of the way from an even share to 1 that the commonest class must have: else naming it does not pay
NEGLECTED = 0.6  # recall of the rare classes, as a share of that of the commonest: they are given up
LEAST = 5  # samples of rare classes that a recall must be measured on
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
    for name in ("val", "test", "train"):
        told = [(epoch, m.matrix) for epoch, m in history.measured(name) if m.matrix is not None]
        if not told:
            continue
        m = np.asarray(told[-1][1], float)
        rows = m.sum(1)
        asked = [c for c in rare if c < len(rows) and rows[c]]
        if len(rows) != classes(history) or not asked or not rows[most]:
            continue
        common = m[most, most] / rows[most]
        if sum(rows[c] for c in asked) < LEAST:
            continue
        recall = sum(m[c, c] for c in asked) / sum(rows[c] for c in asked)
        if common < SEEN or recall > NEGLECTED * common:
            return None
        size = f"class {most} has {g(n[most])} samples ({pc(n[most] / n.sum())}), the rarest class {g(present.min())}"
        text = f"{pc(common)} of class {most} are found, {pc(recall)} of the {len(asked)} rare classes"
        sure = min(0.95, 0.7 + 0.05 * np.log2(n[most] / present.min() / HEAVY) + 0.15 * (1 - recall / common))
        return Found(float(sure), Evidence(size, "training data"), Evidence(text, f"{name}, epoch {told[-1][0]}"))
    raise NotKnownError("a confusion matrix")
