"""A cause: when it is there, what it is, what to do. One file of `causes/` each.

CAUSE = Cause("inputs-unscaled", title="The inputs are not scaled", ..., leads_to=("dead-relu", ...))

@CAUSE.check
def inputs_unscaled(history: History) -> Found | None:
    x = known(first_look(history).inputs, "the range of the inputs")
    if x.maximum <= 10: return None
    return Found(0.9, Evidence(f"the inputs reach {x.maximum:g}", ...))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from scratchnet.train.history import History

T = TypeVar("T")


@dataclass(frozen=True)
class Evidence:
    """A number that was measured, in a sentence. `where`: the step, epoch or split that it is from."""

    text: str
    where: str = ""


@dataclass(frozen=True, init=False)
class Found:
    """The condition holds. `sure`: how strongly the evidence speaks for this cause and no other, in (0, 1]."""

    sure: float
    evidence: tuple[Evidence, ...]

    def __init__(self, sure: float, *evidence: Evidence) -> None:
        object.__setattr__(self, "sure", sure)
        object.__setattr__(self, "evidence", evidence)


class NotKnownError(Exception):
    """Raised within a check: what it needs was not measured; the doctor says so. Without a text: not for this run."""


def known(value: T | None, what: str) -> T:
    """The value; raises NotKnownError with `what` where it was not measured."""
    if value is None:
        raise NotKnownError(what)
    return value


Check = Callable[[History], Found | None]


@dataclass(frozen=True, eq=False)
class Cause:
    """What may be wrong with a run.

    Attributes:
        id: its name, "inputs-unscaled".
        title: a statement, "The inputs are not scaled".
        explanation: why that makes a run fail, in a few sentences.
        remedy: what to do.
        lesson: the page and heading that teaches it.
        leads_to: causes that it brings about: found beside this one, they are its consequences.
    """

    id: str
    title: str
    explanation: str
    remedy: str
    lesson: str
    leads_to: tuple[str, ...] = ()
    checks: list[Check] = field(default_factory=list, repr=False)

    def check(self, function: Check) -> Check:
        """Decorator: this function tells whether the cause is there."""
        self.checks.append(function)
        return function
