"""Labels that do not belong to their samples."""

from __future__ import annotations

import math

from scratchnet.train.history import History
from scratchnet.train.records import SplitFacts

from ..cause import Cause, Evidence, Found, NotKnownError, known
from ..readings import accuracy, majority, pc, skill, train_facts

ENOUGH = 100  # samples that the agreement must be measured on
NOTHING = 0.05  # of the way from chance to full agreement: below it labels follow no neighbourhood at all
ERRORS = 3.0  # standard errors within which a rate is chance
LEARNED = 0.1  # of the way from chance: a network that gets there off its training set shows that labels say something

CAUSE = Cause(
    "labels-shuffled",
    title="Labels do not belong to their samples",
    explanation="Inputs and labels were put in order separately, or one of them is off by some rows. Samples that "
    "look alike then have unrelated labels: the network can learn the shares of the classes and memorise, nothing "
    "more.",
    remedy="Shuffle pairs: one permutation for inputs and labels. Look at a few samples beside their labels.",
    lesson="docs/doctor.md#labels-shuffled",
    leads_to=("plateau", "underfitting", "overfitting", "late-divergence", "frozen-validation", "lr-too-low"),
)


def _agreement(facts: SplitFacts) -> tuple[float, float]:
    """(agreement, chance)."""
    a, c = known(facts.agreement, "whether alike samples have alike labels"), known(facts.chance, "the labels' chance")
    known(c if c < 1 else None, "labels of more than one class")
    return a, c


@CAUSE.check
def no_neighbourhood(history: History) -> Found | None:
    """Nearest neighbours agree no more than by chance, and nothing is learned that holds for other samples."""
    facts = train_facts(history)
    a, c = _agreement(facts)
    n = known(facts.agreed_on, "how many samples were compared")
    known(n if n >= ENOUGH else None, f"{ENOUGH} samples to compare")
    if a > c + max(ERRORS * math.sqrt(c * (1 - c) / n), NOTHING * (1 - c)):
        return None
    p, evidence = majority(history), []
    for name in ("val", "test"):
        rates = [r for _, m in history.measured(name) if (r := accuracy(m)) is not None]
        if rates and (max(rates) - p) / (1 - p) > LEARNED:
            return None  # such data have no neighbourhoods, but are learned
        if rates:
            evidence.append(Evidence(f"accuracy never above {pc(max(rates))}; the commonest class has {pc(p)}", name))
    if not evidence and skill(history) > LEARNED:
        raise NotKnownError("accuracy on samples that nothing was trained on")
    text = f"of {n} samples and their nearest neighbours {pc(a)} have the same label; by chance {pc(c)}"
    return Found(0.93 if evidence else 0.75, Evidence(text, "training data"), *evidence)
