"""The ladder of proofs: five ways to hold a claimed gradient against its function, from exact to merely measured.

    exact               on fractions, with no tolerance, where the output is piecewise linear or quadratic
    high precision      on 100 digits, to 1e-30
    complex step        to 1e-12
    adjoint             ⟨J v, w⟩ = ⟨v, Jᵀ w⟩ with J v by plain differences of full size, where the output is affine
    finite differences  of any function, with a step that is chosen from the noise found there

In exact numbers one random direction is enough to tell a wrong gradient from a right one: a wrong entry cancels out
with probability zero. In floats coordinates are probed one by one, a random sample of them in large arguments, and a
few directions cover the rest. No tolerance depends on the size of an array.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from threadpoolctl import ThreadpoolController

from scratchnet.core.errors import ConfigError
from scratchnet.core.layer import require, whole
from scratchnet.core.types import Array

from .attempt import LADDER, Attempt
from .directions import alike_directions, cotangent
from .evidence import Evidence
from .explain import Explanation, explain
from .neighbourhood import Neighbourhood
from .report import Fault, Finding, Proof, Verdict
from .slopes import Differences, Line, NoEvidence
from .subject import NotRun, Subject, size_of
from .tally import Probed

SURVEY = 400
"""Coordinates looked at when a gradient is wrong, so that the mistake can be told."""

BESIDE = 24
"""Coordinates for which finite differences are enough where a stronger rung has looked at all that were asked for."""


def climb(
    subject: Subject, *, rungs: Sequence[str] = tuple(LADDER), most: int = 200, seed: int | Sequence[int] = 0
) -> list[Finding]:
    """Every rung for every argument.

    Args:
        subject: on float64.
        rungs: names in LADDER.
        most: coordinates to probe one by one in each argument.
        seed: of the cotangents and the probes.

    Raises:
        ConfigError: an unknown rung, or a number that is none.
    """
    check_choices(rungs, most, seed)
    # many small products: a second thread of BLAS costs more than it brings, and by far on a busy machine
    with _blas().limit(limits=1), np.errstate(all="ignore"):
        return _climb(subject, rungs, most, seed)


def check_choices(rungs: Sequence[str], most: int, seed: int | Sequence[int]) -> None:
    """Refuse settings of a check that have no meaning. Raises ConfigError."""
    if isinstance(rungs, str) or not rungs or not set(rungs) <= set(LADDER):
        raise ConfigError("rungs are names of the ladder, in a list", expected=" | ".join(LADDER), actual=repr(rungs))
    require(whole(most), "most is a number of coordinates", expected="1 or more", actual=repr(most))
    seeds = [seed] if isinstance(seed, int | np.integer) else seed
    fine = isinstance(seeds, Sequence) and all(whole(s, least=0) for s in seeds)
    require(fine, "a seed is a whole number, 0 or more", actual=repr(seed))


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")


def _climb(subject: Subject, rungs: Sequence[str], most: int, seed: int | Sequence[int]) -> list[Finding]:
    probed: dict[str, list[Probed]] = {name: [] for name in subject.arguments()}
    skipped: dict[str, list[Proof]] = {name: [] for name in probed}
    for name in rungs:
        rng = np.random.default_rng([*np.atleast_1d(seed), list(LADDER).index(name)])
        try:
            attempt = Attempt(subject, name, rng)
        except NotRun as why:
            for proofs in skipped.values():
                proofs.append(_not_run(name, why))
            continue
        for argument in probed:
            seen = any(len(earlier.chosen) >= min(most, earlier.analytic.size) for earlier in _passed(probed[argument]))
            try:
                result = attempt.probe(argument, min(most, BESIDE) if seen else most)
                failed = result.proof.verdict is Verdict.FAIL and result.wrong and LADDER[name].coordinates is None
                if failed and most < result.numeric.size <= SURVEY:  # the whole of it shows more than a sample
                    result = attempt.probe(argument, SURVEY)
                probed[argument].append(result)
            except NotRun as why:
                skipped[argument].append(_not_run(name, why))
    order = list(LADDER)
    findings = []
    for argument, results in probed.items():
        proofs = [result.proof for result in results] + skipped[argument]
        proofs.sort(key=lambda proof: order.index(proof.rung))
        findings.append(_finding(subject, argument, proofs, results))
    return findings


def _passed(results: Sequence[Probed]) -> list[Probed]:
    """Those that passed."""
    return [result for result in results if result.proof.verdict is Verdict.PASS]


def _not_run(rung: str, why: NotRun) -> Proof:
    return Proof(rung, Verdict.NOT_RUN, why=str(why))


def _finding(subject: Subject, argument: str, proofs: list[Proof], results: list[Probed]) -> Finding:
    """The rungs of one argument together, with the likely mistake where one of them failed."""
    verdicts = [proof.verdict for proof in proofs]
    verdict = next((v for v in (Verdict.FAIL, Verdict.PASS) if v in verdicts), Verdict.VACUOUS)
    failed = [result for result in results if result.proof.verdict is Verdict.FAIL]
    shown = max(failed or results, key=lambda result: (len(result.wrong), len(result.chosen)), default=None)
    if shown is None:
        empty = np.zeros(0)
        return Finding(argument, verdict, tuple(proofs), empty, empty)
    undefined = int((~np.isfinite(shown.analytic)).sum())
    if undefined:
        text = f"{undefined} of {shown.analytic.size} entries are NaN or infinite"
        reasons = [Explanation("not finite", text, "a division by zero, a logarithm of zero, an exponential", 1.0)]
    else:
        reasons = explain(_evidence(subject, argument, shown)) if shown.wrong else []
    return Finding(argument, verdict, tuple(proofs), shown.analytic, shown.numeric, tuple(shown.wrong), tuple(reasons))


def _evidence(subject: Subject, argument: str, shown: Probed) -> Evidence:
    def respond(dout: Array) -> Array:
        return subject.gradients(dout)[argument]

    return Evidence(
        analytic=shown.analytic,
        numeric=shown.numeric,
        room=shown.room,
        dout=shown.dout,
        out=subject.output(),
        columns=dict(zip(shown.chosen, shown.columns, strict=True)) if shown.columns else {},
        beside=subject.beside(),
        facts=subject.facts(),
        respond=respond,
        argument=argument,
    )


def tied_together(subject: Subject, seed: int) -> list[Fault]:
    """Whether the gradients are right where elements of different arguments are equal, and move alike.

    Where a and b are equal, the slope of max(a, b) by each is anything between 0 and 1. But together they make 1: that
    both get the whole gradient, or neither, is seen only when both move.
    """
    arguments = {name: a for name, a in subject.arguments().items() if a.size}
    values = [np.unique(a) for a in arguments.values()]
    if len(values) < 2 or len(np.unique(np.concatenate(values))) == sum(len(v) for v in values):
        return []
    rng = np.random.default_rng([seed, 41])
    with _blas().limit(limits=1), np.errstate(all="ignore"):
        out = subject.output()
        dout = cotangent(out.shape, "float64", rng)
        gradients = subject.gradients(dout)
        nearby = Neighbourhood(subject, dout, rng)
        unit = min(size_of(a) for a in arguments.values())
        for alike in alike_directions(list(arguments.values()), rng, whole=False):
            line = Line(subject.output, out, list(zip(arguments.values(), alike, strict=True)), unit)
            claimed = sum(float((gradients[name] * d).sum()) for name, d in zip(arguments, alike, strict=True))
            try:
                slope = Differences([line], dout.reshape(-1)).slope(line, claimed)
            except NoEvidence:
                continue
            spans = [nearby.rounding(name, d) for name, d in zip(arguments, alike, strict=True)]
            if not slope.kink and slope.error(claimed) > slope.room + sum(spans):
                names = ", ".join(f"d{name}" for name in arguments)
                told = (
                    f"where equal elements of them move alike, out moves by {slope.value:.6g}, they say {claimed:.6g}"
                )
                return [Fault("mask", f"{names} together: {told}; at a tie both get the gradient, or neither does")]
    return []


def merge(runs: Sequence[Sequence[Finding]]) -> list[Finding]:
    """The findings of several cases as one for each argument: a rung passes where it did in a case and never failed."""
    by: dict[str, list[Finding]] = {}
    for findings in runs:
        for finding in findings:
            by.setdefault(finding.argument, []).append(finding)
    return [_merged(findings) for findings in by.values()]


def _merged(findings: Sequence[Finding]) -> Finding:
    proofs: Mapping[str, list[Proof]] = {
        rung: [p for finding in findings for p in finding.proofs if p.rung == rung] for rung in LADDER
    }
    joined = []
    for rung, all_of in proofs.items():
        order = (Verdict.FAIL, Verdict.PASS, Verdict.VACUOUS, Verdict.NOT_RUN)
        verdict = next((v for v in order if any(p.verdict is v for p in all_of)), None)
        if verdict is None:
            continue
        same = [p for p in all_of if p.verdict is verdict]
        joined.append(
            Proof(
                rung,
                verdict,
                sum(p.probes for p in all_of),
                max(p.worst for p in same),
                max(p.detectable for p in same),
                same[0].why,
                sum(p.kinks for p in all_of),
                sum(p.skipped for p in all_of),
            )
        )
    verdicts = [proof.verdict for proof in joined]
    verdict = next((v for v in (Verdict.FAIL, Verdict.PASS) if v in verdicts), Verdict.VACUOUS)
    shown = next((finding for finding in findings if finding.verdict is verdict), findings[0])
    return Finding(
        shown.argument, verdict, tuple(joined), shown.analytic, shown.numeric, shown.wrong, shown.explanations
    )
