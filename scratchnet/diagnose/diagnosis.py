"""What the doctor says of a run: findings in order, with what each brought about."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import numpy as np

from scratchnet.train.history import History

from .cause import Cause, Check, Found, NotKnownError
from .proof import Proof
from .ranking import rank
from .registry import registry

SENSELESS = "figures that make sense"


@dataclass(frozen=True)
class Finding:
    """A cause that is there. `consequences`: findings that it brought about, the surest first."""

    cause: Cause
    found: Found
    consequences: tuple[Finding, ...] = ()

    @property
    def certainty(self) -> str:
        """How sure, in a word."""
        sure = self.found.sure
        return "certain" if sure >= 0.9 else "likely" if sure >= 0.65 else "possible"

    def __str__(self) -> str:
        said = "; ".join(one.text for one in self.found.evidence)
        return f"{self.cause.title} ({self.cause.id}, {self.certainty}): {said}"

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "id": self.cause.id,
            "title": self.cause.title,
            "sure": self.found.sure,
            "evidence": [{"text": e.text, "where": e.where} for e in self.found.evidence],
            "explanation": self.cause.explanation,
            "remedy": self.cause.remedy,
            "lesson": self.cause.lesson,
            "consequences": [finding.as_dict() for finding in self.consequences],
        }


@dataclass(frozen=True)
class Diagnosis:
    """The verdict.

    Attributes:
        findings: the causes found, the likeliest first; what another one explains is nested in it.
        order: the ids of all that was found, as one list: no consequence stands above its cause.
        fine: causes that were looked for and are not there.
        unknown: (cause, what was not measured): causes that could not be looked for.
        source, notes: the history's.
        proof: what came of re-running it with one thing changed, where that was done (see counterfactual.py).
    """

    findings: tuple[Finding, ...]
    order: tuple[str, ...]
    fine: tuple[Cause, ...]
    unknown: tuple[tuple[Cause, str], ...]
    source: str = ""
    notes: tuple[str, ...] = field(default=())
    proof: Proof | None = None

    def __iter__(self) -> Iterator[Finding]:
        """All findings in `order`, nested ones too."""
        every: dict[str, Finding] = {}
        todo = list(self.findings)
        while todo:
            finding = todo.pop()
            every[finding.cause.id] = finding
            todo += finding.consequences
        return iter([every[id] for id in self.order])

    def __str__(self) -> str:
        """What `scratchnet doctor` prints."""
        from .report import show

        text = StringIO()
        show(self, text)
        return "\n".join(line.rstrip() for line in text.getvalue().splitlines())

    @property
    def first(self) -> Finding | None:
        """The likeliest cause; None for a run in which nothing was found."""
        return self.findings[0] if self.findings else None

    def as_dict(self) -> dict[str, Any]:
        """Plain data, as --json prints it."""
        return {
            "source": self.source,
            "healthy": not self.findings,
            "order": list(self.order),
            "findings": [finding.as_dict() for finding in self.findings],
            "unknown": [{"id": cause.id, "missing": why} for cause, why in self.unknown],
            "fine": [cause.id for cause in self.fine],
            "notes": list(self.notes),
            "proof": None if self.proof is None else self.proof.as_dict(),
        }


def diagnose(history: History) -> Diagnosis:
    """Why does this run fail? Every cause is looked for; what is found is ranked, cause before consequence."""
    found: dict[str, Found] = {}
    fine: list[Cause] = []
    unknown: list[tuple[Cause, str]] = []
    for id, cause in registry().items():
        outcomes, missing = [], []
        for check in cause.checks:
            try:
                outcomes.append(_ask(check, history))
            except NotKnownError as error:
                missing.append(str(error))
        there = [one for one in outcomes if one is not None]
        if there:
            surest = max(one.sure for one in there)
            there.sort(key=lambda one: -one.sure)
            found[id] = Found(surest, *(evidence for one in there for evidence in one.evidence))
        elif outcomes:
            fine.append(cause)
        else:
            unknown.append((cause, "; ".join(dict.fromkeys(why for why in missing if why))))
    findings, order = arranged(found)
    return Diagnosis(findings, order, tuple(fine), tuple(unknown), history.source, tuple(history.notes))


def arranged(found: dict[str, Found]) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """(findings, order) of what was found: ranked, consequences within their causes."""
    order, parents = rank({id: one.sure for id, one in found.items()})

    def nested(parent: str | None) -> tuple[Finding, ...]:
        return tuple(Finding(registry()[id], found[id], nested(id)) for id in order if parents[id] == parent)

    return nested(None), order


def _ask(check: Check, history: History) -> Found | None:
    """One check; figures that it cannot reckon with (a norm below 0, a rate of 1e300) make it know nothing."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of NaN in NumPy's medians and means
            found = check(history)
    except (ArithmeticError, ValueError, IndexError) as error:
        raise NotKnownError(f"{SENSELESS} ({error})") from error
    if found is not None and not 0 < found.sure <= 1:
        raise NotKnownError(SENSELESS)
    return found
