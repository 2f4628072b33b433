"""An accuracy that so many samples cannot give."""

from __future__ import annotations

from scratchnet.train.history import History
from scratchnet.train.history.records import Measured

from ..cause import Cause, Evidence, Found, NotKnownError
from ..readings import g

FINE = 1e-6  # relative precision of an accuracy at best: that of 32-bit floats, with a margin
TELLS = 0.2  # samples that a printed accuracy may be off by: beyond it whole numbers cannot be told

CAUSE = Cause(
    "impossible-accuracy",
    title="An accuracy that cannot be",
    explanation="Accuracy times the number of samples is a count, and a count is a whole number between 0 and that "
    "number. One that is not was averaged over batches of unequal size, measured on other samples, or made up.",
    remedy="Count the right answers and the samples, add both up over the split, and divide once.",
    lesson="docs/doctor.md#impossible-accuracy",
)


@CAUSE.check
def whole_numbers(history: History) -> Found | None:
    """Every rate of every split against what was counted and what the split holds."""
    evidence, asked = [], 0
    for epoch in history.epochs:
        for name, m in epoch.splits.items():
            known_, problem = _problem(m, _size(history, name, m))
            asked += known_
            if problem:
                evidence.append(Evidence(problem, f"{name}, epoch {epoch.epoch}"))
    if not asked and not evidence:
        raise NotKnownError("accuracies with the number of samples that they are of")
    if not evidence:
        return None
    more = [Evidence(f"{len(evidence)} such figures in all", "all epochs")] if len(evidence) > 3 else []
    return Found(0.96, *evidence[:3], *more)


def _size(history: History, name: str, m: Measured) -> int | None:
    if m.total is not None:
        return m.total
    if m.matrix is not None:
        return sum(map(sum, m.matrix))
    facts = history.data.get(name)
    return (
        facts.samples if facts is not None and name != "train" else None
    )  # a ragged batch may be left out in training


def _problem(m: Measured, total: int | None) -> tuple[bool, str]:
    """(whether anything could be checked, what is wrong)."""
    a = m.accuracy
    if a is not None and a == a and not 0 <= a <= 1:
        return True, f"accuracy {g(a, 6)} is no rate between 0 and 1"
    if m.matrix is not None and m.total is not None and sum(map(sum, m.matrix)) != m.total:
        return (
            True,
            f"the confusion matrix holds {g(sum(map(sum, m.matrix)), 9)} samples, the total says {g(m.total, 9)}",
        )
    if m.matrix is not None and m.correct is not None and sum(r[i] for i, r in enumerate(m.matrix)) != m.correct:
        right = sum(row[i] for i, row in enumerate(m.matrix))
        return True, f"the confusion matrix has {g(right, 9)} right, the count says {g(m.correct, 9)}"
    if total and m.correct is not None and not 0 <= m.correct <= total:
        return True, f"{m.correct} right of {total}"
    if a is None or not total or a != a:
        return bool(total and m.correct is not None), ""
    digits = len(repr(a).partition(".")[2]) if "e" not in repr(a) else 17
    last = m.rounded if m.rounded is not None else 10.0**-digits  # what the last digit is worth
    off = max(0.5 * last, FINE * a) * total  # samples that rounding may hide
    count = a * total if m.correct is None else a * total - m.correct
    if off > TELLS or abs(count - round(count) if m.correct is None else count) <= off + 1e-9:
        return off <= TELLS or m.correct is not None, ""
    if m.correct is not None:
        return True, f"accuracy {a!r}, but {m.correct} of {total} are right, which is {m.correct / total:.6g}"
    return True, f"accuracy {a!r} of {g(total, 9)} samples is {a * total:.6g} right answers: no whole number"
