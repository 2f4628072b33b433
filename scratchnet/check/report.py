"""What a check of plain functions says: a verdict for each argument, what it could have seen, and what it saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from scratchnet.core.types import Array

from .explain import Explanation


class Verdict(Enum):
    """PASS: exercised and right. FAIL: wrong. VACUOUS: nothing was exercised, or the signal is below the noise."""

    PASS = "PASS"
    FAIL = "FAIL"
    VACUOUS = "VACUOUS"


@dataclass(frozen=True)
class Finding:
    """What was found about the gradient by one argument.

    Attributes:
        argument: its name.
        verdict: see Verdict.
        probes: how many slopes of the function were compared.
        worst: the largest error, relative to the largest slope of this argument.
        detectable: the smallest relative error, on that same scale, that this run could have seen.
        analytic: what the backward returned.
        numeric: what finite differences gave; NaN where no coordinate was probed.
        wrong: where the two disagree, as indices.
        explanations: the likely mistakes, most likely first.
    """

    argument: str
    verdict: Verdict
    probes: int
    worst: float
    detectable: float
    analytic: Array
    numeric: Array
    wrong: Sequence[tuple[int, ...]] = ()
    explanations: Sequence[Explanation] = ()

    def __str__(self) -> str:
        head = f"{self.verdict.value:<8}d{self.argument}"
        if self.verdict is Verdict.VACUOUS:
            return f"{head}: no slope above the noise in {self.probes} probes; nothing was checked"
        facts = f"{self.probes} probes, worst {self.worst:.1e}, could have seen {self.detectable:.1e}"
        if self.verdict is Verdict.PASS:
            return f"{head}: {facts}"
        lines = [f"{head}: {facts}"]
        for index in self.wrong[:4]:
            place = f"[{', '.join(map(str, index))}]"
            lines.append(
                f"        at {place}: backward {self.analytic[index]:+.6g}, function {self.numeric[index]:+.6g}"
            )
        if len(self.wrong) > 4:
            lines.append(f"        and {len(self.wrong) - 4} more of {int(np.isfinite(self.numeric).sum())} probed")
        lines += [f"        {row}" for row in picture(self)]
        lines += [f"        {explanation}" for explanation in self.explanations[:3]]
        return "\n".join(lines)


@dataclass(frozen=True)
class Report:
    """What was checked and found under one name. True where everything was exercised and right.

    Attributes:
        name: of the pair or layer.
        findings: one for each argument of a pair.
        broken: promises that do not hold, each as a text.
        checked: for a layer, what was held against it; else empty.
        asleep: a layer's arguments by which no case had a gradient.
    """

    name: str
    findings: Sequence[Finding] = ()
    broken: Sequence[str] = ()
    checked: str = ""
    asleep: Sequence[str] = ()

    @property
    def verdict(self) -> Verdict:
        """FAIL if anything failed, else VACUOUS if something was not exercised, else PASS."""
        verdicts = {finding.verdict for finding in self.findings}
        if self.broken or Verdict.FAIL in verdicts:
            return Verdict.FAIL
        if self.asleep or Verdict.VACUOUS in verdicts or not (verdicts or self.checked):
            return Verdict.VACUOUS
        return Verdict.PASS

    def __bool__(self) -> bool:
        return self.verdict is Verdict.PASS

    def __str__(self) -> str:
        rows = [f"{self.verdict.value}  {self.name}" + (f"  ({self.checked})" if self.checked else "")]
        rows += ["  FAIL    " + text.replace("\n", "\n        ") for text in self.broken]
        rows += [f"  VACUOUS d{argument}: no gradient in any case; nothing was checked" for argument in self.asleep]
        rows += [f"  {line}" for finding in self.findings for line in str(finding).splitlines()]
        return "\n".join(rows)

    def as_dict(self) -> dict[str, object]:
        """As plain data, for JSON."""
        findings = [
            {
                "argument": f.argument,
                "verdict": f.verdict.value,
                "probes": f.probes,
                "worst": f.worst,
                "detectable": f.detectable if np.isfinite(f.detectable) else None,
                "wrong": [list(index) for index in f.wrong],
                "explanations": [{"kind": e.kind, "text": e.text, "sure": e.sure} for e in f.explanations],
            }
            for f in self.findings
        ]
        plain = {"name": self.name, "verdict": self.verdict.value, "checked": self.checked}
        return plain | {"broken": list(self.broken), "asleep": list(self.asleep), "findings": findings}


def picture(finding: Finding, most: int = 24) -> list[str]:
    """A small map of where an argument of two axes or more is wrong: # wrong, . right, blank not probed."""
    shape = finding.numeric.shape
    if len(shape) < 2 or max(shape[-2:]) > most or 1 in shape[-2:]:
        return []
    probed, wrong = np.isfinite(finding.numeric), np.zeros(shape, bool)
    for index in finding.wrong:
        wrong[index] = True
    axes = tuple(range(len(shape) - 2))  # (..., H, W) -> (H, W)
    marks = np.where(wrong.any(axes), "#", np.where(probed.any(axes), ".", " "))
    title = [f"over the last two axes of {shape}:"] if axes else []
    return title + ["".join(row) for row in marks]
