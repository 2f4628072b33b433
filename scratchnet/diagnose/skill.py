"""How much a network has learned, of what there is to learn."""

from __future__ import annotations

from contextlib import suppress

from scratchnet.train.history import History

from .cause import Evidence, NotKnownError, known
from .readings import HELD_OUT, accuracy, broken, majority, pc

LEARNED = 0.9
"""`able` from which on a network has learned what there was: of runs that something spoiled, few get above 0.8, and few
healthy ones stay below it."""
MOSTLY = 0.7
"""The same for harm that is always great: units fallen silent or at their bounds, a run that diverged, leave 0.6 at
most, and healthy runs have 0.73 and more."""


def skill(history: History) -> float:
    """(a − p)/(1 − p): the last training accuracy a above p, that of one who always names the commonest class.

    0 for a network that knows nothing, 1 for one that is always right. Where no epoch was measured, the last quarter
    of the looks, with 30 samples or more, speaks.
    """
    p = majority(history)
    known(p if p < 1 else None, "more than one class")
    told = [a for _, m in history.measured("train") if (a := accuracy(m)) is not None]
    if told:
        return (told[-1] - p) / (1 - p)
    late = history.looks[-max(1, len(history.looks) // 4) :]
    pairs = [(x.outputs.correct, x.batch) for x in late if x.outputs and x.outputs.correct is not None and x.batch]
    total = sum(n for _, n in pairs)
    known(total if total >= 30 else None, "the accuracy in training")
    return (sum(k for k, _ in pairs) / total - p) / (1 - p)


def able(history: History) -> float:
    """The highest `skill` that any split shows at the end: the rate in training suffers from dropout and noise."""
    p, told = majority(history), []
    with suppress(NotKnownError):
        told.append(skill(history))
    last = [accuracy(of[-1][1]) for name in HELD_OUT if (of := history.measured(name)) and p < 1]
    told += [(a - p) / (1 - p) for a in last if a is not None]
    return max(known(told or None, "the accuracy of any split"))


def learned(history: History, least: float = LEARNED) -> bool:
    """Whether the network has learned what there was, so that nothing that it shows did harm; False where not known."""
    try:
        return broken(history) is None and able(history) > least
    except NotKnownError:
        return False


def short_of_it(history: History) -> list[Evidence]:
    """What was learned of what there is, where that is known: harm by itself where nothing else suffered."""
    try:
        return [Evidence(f"skill ends at {pc(max(able(history), 0))} of what there is", "the last epoch")]
    except NotKnownError:
        return []
