"""Counting right answers of the doctor: rates with Wilson's interval, a table by cause, false alarms."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from _doctor_rules import EQUAL
from _doctor_suite import DEVELOPMENT, HALVES, HEALTH, HELD_OUT

Z = 1.959964  # 95 %
BOTH = "both"


@dataclass
class Row:
    """A run and what was said of it.

    Attributes:
        kept: whether a draw kept its rule; a run that is not kept is in no count.
        said: ids in the doctor's order, None where it was not asked.
        error: what it raised instead.
    """

    id: str
    cause: str
    half: str
    log: bool
    fault: str
    second: list[str]
    what: str = ""
    tries: int = 0
    kept: bool = False
    accuracy: float | None = None
    said: list[str] | None = None
    seconds: float | None = None
    error: str = ""

    @property
    def right(self) -> set[str]:
        """Answers that count: what was done, and what was declared equal to it beforehand."""
        return {self.cause} | {other for cause, other in EQUAL if cause == self.cause}

    def within(self, n: int) -> bool:
        """Whether a right answer is among the first n."""
        return bool(self.right & set((self.said or [])[:n]))


@dataclass
class Rate:
    """hits of n, and Wilson's 95 % interval."""

    hits: int
    n: int
    rate: float | None = None
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if self.n:
            self.rate = p = self.hits / self.n
            z2 = Z * Z / self.n
            centre = (p + z2 / 2) / (1 + z2)
            half = Z * math.sqrt(p * (1 - p) / self.n + z2 / (4 * self.n)) / (1 + z2)
            self.low, self.high = max(0.0, centre - half), min(1.0, centre + half)

    def __str__(self) -> str:
        if self.rate is None:
            return "none"
        return f"{self.hits} of {self.n}, {self.rate:.1%} [{self.low:.1%}, {self.high:.1%}]"


@dataclass
class OfCause:
    """The runs of one cause. instead: what was said first where that was wrong."""

    n: int = 0
    first: int = 0
    three: int = 0
    exactly: int = 0  # first, without what was declared equal
    second: int = 0  # wrong, but a legitimate second answer
    instead: dict[str, int] = field(default_factory=dict)


@dataclass
class Score:
    """All figures of a half."""

    causes: dict[str, OfCause]
    first: Rate
    three: Rate
    exactly: Rate
    false_alarms: Rate
    alarms: dict[str, int]
    errors: list[str]
    dropped: list[str]
    slowest: float


def score(rows: list[Row]) -> Score:
    """Count. A run on which the doctor raised an error counts as wrong."""
    kept = [row for row in rows if row.kept]
    causes: dict[str, OfCause] = {}
    for row in (row for row in kept if row.cause != HEALTH):
        of = causes.setdefault(row.cause, OfCause())
        of.n += 1
        of.first += row.within(1)
        of.three += row.within(3)
        said = "error" if row.error else (row.said or ["nothing"])[0]
        of.exactly += said == row.cause
        if not row.within(1):
            of.second += said in row.second
            name = said + (" *" if said in row.second else "")
            of.instead[name] = of.instead.get(name, 0) + 1
    n = sum(of.n for of in causes.values())
    sound = [row for row in kept if row.cause == HEALTH]
    alarmed = [row for row in sound if row.said or row.error]
    return Score(
        dict(sorted(causes.items())),
        *(Rate(sum(getattr(of, what) for of in causes.values()), n) for what in ("first", "three", "exactly")),
        Rate(len(alarmed), len(sound)),
        dict(Counter((row.said or ["error"])[0] for row in alarmed)),
        [f"{row.id}: {row.error}" for row in kept if row.error],
        [row.id for row in rows if not row.kept],
        max((row.seconds or 0.0 for row in rows), default=0.0),
    )


def often(said: dict[str, int]) -> list[tuple[str, int]]:
    """What was said most comes first."""
    return Counter(said).most_common()


def halves(rows: list[Row]) -> dict[str, Score]:
    """The score of each half that has been run, and of both together."""
    parts = {half: [row for row in rows if row.half == half] for half in HALVES}
    scores = {half: score(part) for half, part in parts.items() if part}
    return scores | ({BOTH: score(rows)} if len(scores) > 1 else {})


def table(name: str, s: Score) -> str:
    """A half's score to print."""
    lines = [f"{name} half" if name in (DEVELOPMENT, HELD_OUT) else "both halves", ""]
    lines.append(f"{'cause':28}{'n':>4}{'first':>7}{'three':>7}  said instead (* a legitimate second answer)")
    for cause, of in s.causes.items():
        instead = ", ".join(f"{said} {k}" for said, k in often(of.instead))
        lines.append(f"{cause:28}{of.n:>4}{of.first:>7}{of.three:>7}  {instead}".rstrip())
    lines += ["", f"right cause first:  {s.first}", f"among first three:  {s.three}"]
    if s.exactly.hits != s.first.hits:
        lines.append(f"without equals:     {s.exactly}")
    lines.append(f"false alarms:       {s.false_alarms}")
    lines += [f"    {said}: {k}" for said, k in often(s.alarms)]
    lines += [f"error: {error}" for error in s.errors]
    if s.dropped:
        lines.append(f"left out, no draw kept its rule: {', '.join(s.dropped)}")
    lines.append(f"slowest diagnosis: {s.slowest:.2f} s")
    return "\n".join(lines)


def as_dict(scores: dict[str, Score], rows: list[Row]) -> dict[str, Any]:
    """Everything, for JSON."""
    equal = [{"done": done, "said": said, "why": why} for (done, said), why in EQUAL.items()]
    return {
        "equal": equal,
        "halves": {name: asdict(s) for name, s in scores.items()},
        "runs": [asdict(row) for row in rows],
    }
