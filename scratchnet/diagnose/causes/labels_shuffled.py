"""Labels that do not belong to their samples."""

from __future__ import annotations

import math

import numpy as np

from scratchnet.train.history import History
from scratchnet.train.history.records import SplitFacts

from ..cause import Cause, Evidence, Found, NotKnownError, known
from ..readings import HELD_OUT, accuracy, held_out_facts, majority, pc, train_facts
from ..skill import skill

ENOUGH = 100  # samples that the agreement must be measured on
NOTHING = 0.2
"""Of the way from chance to full agreement: below it labels follow no neighbourhood. Data that are learned have 0.4 and
more; of shuffled labels two thirds wrong leave 0.1."""
SOME = 0.35  # of the way that the samples compared must exclude: few samples of one common class exclude nothing
ERRORS = 3.0  # standard errors within which a rate is chance
ERRORS_BESIDE = 2.0  # the same between two splits, where the agreement itself is next to nothing
ALIKE = 0.05  # difference of two splits' chances: with other shares of classes they cannot be compared
LEARNED = 0.1  # of the way from chance: a network that gets there off its training set shows that labels say something

PART = 0.8
"""Of the agreement beyond chance that held-out samples have with the training data: where a share q of the training
labels is wrong, one label of a training pair is right with 1 − q and both with (1 − q)², so this much less is left."""

CAUSE = Cause(
    "labels-shuffled",
    title="Labels do not belong to their samples",
    explanation="Inputs and labels were put in order separately, or one of them is off by some rows. Samples that "
    "look alike then have unrelated labels: the network can learn the shares of the classes and memorise, nothing "
    "more.",
    remedy="Shuffle pairs: one permutation for inputs and labels. Look at a few samples beside their labels.",
    lesson="docs/doctor.md#labels-shuffled",
    leads_to=(
        "class-imbalance",
        "plateau",
        "underfitting",
        "overfitting",
        "late-divergence",
        "frozen-validation",
        "lr-too-low",
    ),
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
    if a > c + max(ERRORS * math.sqrt(c * (1 - c) / n), NOTHING * (1 - c)) or _others_agree(history):
        return None
    if a + 2 * math.sqrt(a * (1 - a) / n) > c + SOME * (1 - c):
        raise NotKnownError("whether alike samples have alike labels, on enough samples")
    p, evidence = majority(history), []
    for name in ("val", "test"):
        rates = [r for _, m in history.measured(name) if (r := accuracy(m)) is not None]
        late = float(np.median(rates[len(rates) // 2 :])) if rates else 0.0
        if rates and (late - p) / (1 - p) > LEARNED:
            return None  # such data have no neighbourhoods, but are learned
        if rates:
            evidence.append(
                Evidence(f"accuracy is {pc(late)} in the later epochs; the commonest class has {pc(p)}", name)
            )
    if not evidence and skill(history) > LEARNED:
        raise NotKnownError("accuracy on samples that nothing was trained on")
    text = f"of {n} samples and their nearest neighbours {pc(a)} have the same label; by chance {pc(c)}"
    return Found(0.93 if evidence else 0.75, Evidence(text, "training data"), *evidence)


def _others_agree(history: History) -> bool:
    """Whether a held-out split agrees with its training neighbours: then these have the labels that are theirs."""
    told = [(f.agreement, f.chance, f.agreed_on) for name in HELD_OUT if (f := history.data.get(name))]
    return any(a is not None and c is not None and n and a > c + ERRORS * math.sqrt(c * (1 - c) / n)
               for a, c, n in told)  # fmt: skip


@CAUSE.check
def less_than_held_out(history: History) -> Found | None:
    """Training samples agree less with each other than held-out ones agree with them: a part of the labels is wrong."""
    facts = train_facts(history)
    a, c = _agreement(facts)
    n = known(facts.agreed_on, "how many samples were compared")
    for other in held_out_facts(history):
        if other.agreement is None or other.chance is None or not other.agreed_on or min(n, other.agreed_on) < ENOUGH:
            continue
        b, d = other.agreement, other.chance
        own, theirs = (a - c) / (1 - c), (b - d) / (1 - d)
        spread = math.sqrt(a * (1 - a) / n / (1 - c) ** 2 + b * (1 - b) / other.agreed_on / (1 - d) ** 2)
        least = ERRORS if own > NOTHING else ERRORS_BESIDE
        if abs(c - d) > ALIKE or theirs < LEARNED or own > PART * theirs or theirs - own < least * spread:
            continue
        text = f"{pc(a)} of training samples have their nearest neighbour's label, but {pc(b)} of {other.split}"
        return Found(
            min(0.95, 0.75 + 0.5 * (1 - own / theirs)), Evidence(text, "training data"), *_rates(history, other.split)
        )
    return None


def _rates(history: History, name: str) -> list[Evidence]:
    ours, theirs = history.measured("train"), history.measured(name)
    a, b = (accuracy(told[-1][1]) if told else None for told in (ours, theirs))
    if a is None or b is None or b < a:
        return []
    return [Evidence(f"{pc(b)} right on {name}, {pc(a)} in training", f"epoch {ours[-1][0]}")]
