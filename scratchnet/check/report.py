"""What a check says: a verdict for each argument, the proofs behind it, what they could have seen and what they saw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from scratchnet.core.types import Array

from .explain import Explanation


class Verdict(Enum):
    """How a check ended.

    PASS: exercised and right. FAIL: wrong. VACUOUS: nothing was exercised, or the signal is below the noise. NOT_RUN: a
    proof that cannot be had here, and why.
    """

    PASS = "PASS"
    FAIL = "FAIL"
    VACUOUS = "VACUOUS"
    NOT_RUN = "NOT RUN"


@dataclass(frozen=True)
class Proof:
    """What one rung of the ladder says about one argument.

    Attributes:
        rung: its name in `ladder.LADDER`.
        verdict: see Verdict.
        probes: how many slopes of the function were compared.
        worst: the largest error, relative to the largest slope of this argument.
        detectable: the smallest error of one entry, on that same scale, that would have been seen wherever it is, kinks
            left out. 0: any error.
        kinks: how many of the probes met a kink, where any slope between the one-sided ones is right.
        skipped: how many more were no evidence: the output jumps or is not finite there, or kinks meet.
        why: what keeps the rung from running.
    """

    rung: str
    verdict: Verdict
    probes: int = 0
    worst: float = 0.0
    detectable: float = float("inf")
    why: str = ""
    kinks: int = 0
    skipped: int = 0

    @property
    def digits(self) -> float:
        """To how many digits gradient and function agree; infinity where they are equal."""
        return -math.log10(self.worst) if self.worst > 0 else float("inf")

    def __str__(self) -> str:
        if self.verdict is Verdict.NOT_RUN:
            return f"{self.rung}: not run, {self.why}"
        if self.verdict is Verdict.VACUOUS:
            return f"{self.rung}: no slope above the noise in {self.probes} probes"
        seen = "any error" if self.detectable == 0 else f"{self.detectable:.1e}"
        apart = [f"{self.kinks} at kinks"] if self.kinks else []
        apart += [f"{self.skipped} more no evidence"] if self.skipped else []
        at = f" ({', '.join(apart)})" if apart else ""
        return f"{self.rung}: {self.probes} probes{at}, worst {self.worst:.1e}, could have seen {seen}"


@dataclass(frozen=True)
class Fault:
    """A promise besides the gradient that is broken: its kind, as in Explanation, and what was seen."""

    kind: str
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Finding:
    """What was found about the gradient by one argument.

    Attributes:
        argument: its name.
        verdict: FAIL if any proof failed, else PASS if any passed, else VACUOUS.
        proofs: what each rung says, the strongest first.
        analytic: what the backward returned.
        numeric: the slope of the function; NaN where no coordinate was probed.
        wrong: where the two disagree, as indices.
        explanations: the likely mistakes, most likely first.
    """

    argument: str
    verdict: Verdict
    proofs: Sequence[Proof]
    analytic: Array
    numeric: Array
    wrong: Sequence[tuple[int, ...]] = ()
    explanations: Sequence[Explanation] = ()

    @property
    def proof(self) -> Proof | None:
        """The strongest proof of the verdict: of a PASS the highest rung that passed."""
        ran = [proof for proof in self.proofs if proof.verdict is self.verdict]
        return ran[0] if ran else None

    @property
    def rung(self) -> str:
        """The highest rung that passed, or ""."""
        return next((proof.rung for proof in self.proofs if proof.verdict is Verdict.PASS), "")

    @property
    def probes(self) -> int:
        """How many slopes were compared, all rungs together."""
        return sum(proof.probes for proof in self.proofs)

    @property
    def worst(self) -> float:
        """The largest relative error, by the strongest proof of the verdict."""
        return self.proof.worst if self.proof else 0.0

    @property
    def detectable(self) -> float:
        """The smallest relative error that this run could have seen."""
        ran = [proof.detectable for proof in self.proofs if proof.verdict in (Verdict.PASS, Verdict.FAIL)]
        return min(ran, default=float("inf"))

    def __str__(self) -> str:
        from .picture import picture

        head = f"{self.verdict.value:<8}d{self.argument}"
        if self.verdict is Verdict.VACUOUS:
            return f"{head}: no slope above the noise in {self.probes} probes; nothing was checked"
        proof = self.proof
        if self.verdict is Verdict.PASS:
            return f"{head}: {proof}"
        lines = [f"{head}: by {proof.rung}, in {len(self.wrong) or 'some'} of the probes" if proof else head]
        for index in self.wrong[:4]:
            claimed, true = _apart(self.analytic[index], self.numeric[index])
            lines.append(f"        at [{', '.join(map(str, index))}]: backward {claimed}, function {true}")
        if len(self.wrong) > 4:
            lines.append(f"        and {len(self.wrong) - 4} more of {int(np.isfinite(self.numeric).sum())} probed")
        lines += [f"        {row}" for row in picture(self)]
        told = self.explanations[:1] if self.explanations and self.explanations[0].sure > 0.9 else self.explanations[:2]
        lines += [f"        {explanation}" for explanation in told]
        return "\n".join(lines)


def _apart(one: float, other: float) -> tuple[str, str]:
    """Both with as many digits as it takes to tell them apart, six at least."""
    for digits in (6, 9, 12, 17):
        texts = f"{one:+.{digits}g}", f"{other:+.{digits}g}"
        if texts[0] != texts[1]:
            break
    return texts


@dataclass(frozen=True, repr=False)
class Report:
    """What was checked and found under one name. True where everything was exercised and right.

    Attributes:
        name: of the functions, layer, loss or network.
        findings: one for each argument.
        faults: promises besides the gradient that do not hold.
        notes: what is worth knowing and no mistake.
        cases: how many settings were checked.
        seconds: how long it took.
    """

    name: str
    findings: Sequence[Finding] = ()
    faults: Sequence[Fault] = ()
    notes: Sequence[str] = ()
    cases: int = 1
    seconds: float = field(default=0.0, compare=False)

    @property
    def verdict(self) -> Verdict:
        """FAIL if anything failed, else VACUOUS if an argument was not exercised, else PASS."""
        verdicts = {finding.verdict for finding in self.findings}
        if self.faults or Verdict.FAIL in verdicts:
            return Verdict.FAIL
        return Verdict.PASS if verdicts == {Verdict.PASS} else Verdict.VACUOUS

    @property
    def kinds(self) -> list[str]:
        """The kinds of mistake that are named: of every broken promise, and the likeliest of every wrong gradient."""
        wrong = [finding for finding in self.findings if finding.verdict is Verdict.FAIL]
        found = [fault.kind for fault in self.faults] + [e.kind for finding in wrong for e in finding.explanations[:1]]
        return list(dict.fromkeys(found))

    @property
    def rung(self) -> str:
        """The highest rung that every argument passed; "" where any failed."""
        if not self:
            return ""
        passed = [{p.rung: p for p in f.proofs if p.verdict is Verdict.PASS} for f in self.findings]
        return next((rung for rung in (passed[0] if passed else ()) if all(rung in each for each in passed)), "")

    @property
    def digits(self) -> float:
        """To how many digits gradients and functions agree on that rung; infinity where they are equal."""
        proofs = [proof for finding in self.findings for proof in finding.proofs if proof.rung == self.rung]
        return min((proof.digits for proof in proofs), default=0.0)

    def __bool__(self) -> bool:
        return self.verdict is Verdict.PASS

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        rows = [f"{self.verdict.value}  {self.name}" + (f"  ({self.cases} cases)" if self.cases > 1 else "")]
        rows += [f"  FAIL    {fault.kind}: " + fault.text.replace("\n", "\n        ") for fault in self.faults]
        rows += [f"  {line}" for finding in self.findings for line in str(finding).splitlines()]
        absent = {p.why: p.rung for f in self.findings for p in f.proofs if "is not installed" in p.why}
        rows += [f"  NOT RUN {rung}: {why}" for why, rung in absent.items()]
        rows += [f"  note    {note}" for note in self.notes]
        return "\n".join(rows)

    def as_dict(self) -> dict[str, object]:
        """As plain data, for JSON."""
        findings = [
            {
                "argument": f.argument,
                "verdict": f.verdict.value,
                "proofs": [
                    {
                        "rung": p.rung,
                        "verdict": p.verdict.value,
                        "probes": p.probes,
                        "kinks": p.kinks,
                        "skipped": p.skipped,
                        "worst": p.worst if np.isfinite(p.worst) else None,
                        "detectable": p.detectable if np.isfinite(p.detectable) else None,
                        "why": p.why,
                    }
                    for p in f.proofs
                ],
                "wrong": [list(index) for index in f.wrong],
                "explanations": [
                    {"kind": e.kind, "text": e.text, "look": e.look, "sure": e.sure} for e in f.explanations
                ],
            }
            for f in self.findings
        ]
        faults = [{"kind": fault.kind, "text": fault.text} for fault in self.faults]
        return {
            "name": self.name,
            "verdict": self.verdict.value,
            "rung": self.rung,
            "cases": self.cases,
            "seconds": round(self.seconds, 3),
            "faults": faults,
            "notes": list(self.notes),
            "findings": findings,
        }
