"""The ladder of proofs: five ways to hold a claimed gradient against its function, from exact to merely measured.

    exact               on fractions, with no tolerance, where the output is piecewise linear or quadratic
    high precision      on 100 digits, to 1e-30
    complex step        to 1e-12
    adjoint             ⟨J v, w⟩ = ⟨v, Jᵀ w⟩ with J v by plain differences of full size, where the output is affine
    finite differences  of any function, with a step that is chosen from the noise found there

In exact numbers one random direction is enough to tell a wrong gradient from a right one: a wrong entry cancels out with
probability zero. In floats coordinates are probed one by one, a random sample of them in large arguments, and a few
directions cover the rest. No tolerance depends on the size of an array.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from scratchnet.core.types import Array

from .evidence import Evidence
from .explain import explain
from .numbers import Numbers, convert, floats
from .report import Finding, Proof, Verdict
from .slopes import Differences, Index, Line, Slope, affine_slope, complex_slope, digits_slope, exact_slope
from .subject import NotRun, Subject
from .tolerances import UNTRUSTED_RELATIVE

LARGEST = 2000
"""Elements of arguments and output beyond which Python numbers take too long. A smaller case proves the same code."""

KEPT = 5_000_000
"""Slopes of outputs that are kept for the explanation; of larger arguments it does with sums."""

SURVEY = 400
"""Elements up to which a wrong gradient is probed everywhere, so that the mistake can be told."""


@dataclass(frozen=True)
class Rung:
    """One way to measure a slope: on which numbers, and how many coordinates it probes one by one at most."""

    numbers: Numbers
    measure: Callable[[Line, Array], Slope] | None  # None: differences, whose step is chosen for each argument
    coordinates: int | None = None  # None: as many as are asked for
    directions: int = 2  # beside a sample of the coordinates; one beside all of them


LADDER = {
    "exact": Rung("fractions", exact_slope, 4),
    "high precision": Rung("digits", digits_slope, 2),
    "complex step": Rung("complex128", complex_slope),
    "adjoint": Rung("float64", affine_slope, 0),
    "finite differences": Rung("float64", None),
}
"""Every rung by name, the strongest first."""


@dataclass
class _Probed:
    """What one rung found out about one argument."""

    proof: Proof
    analytic: Array
    dout: Array
    numeric: Array
    columns: list[Array] = field(default_factory=list)  # of the coordinates, in the order of `chosen`
    chosen: list[tuple[int, ...]] = field(default_factory=list)
    wrong: list[tuple[int, ...]] = field(default_factory=list)
    room: float = 0.0


def climb(
    subject: Subject, *, rungs: Sequence[str] = tuple(LADDER), most: int = 200, seed: int | Sequence[int] = 0
) -> list[Finding]:
    """Every rung for every argument.

    Args:
        subject: on float64.
        rungs: names in LADDER.
        most: coordinates to probe one by one in each argument.
        seed: of the cotangents and the probes.
    """
    with _blas().limit(limits=1):  # many small products: a second thread costs more than it brings, and by far if busy
        return _climb(subject, rungs, most, seed)


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")


def _climb(subject: Subject, rungs: Sequence[str], most: int, seed: int | Sequence[int]) -> list[Finding]:
    probed: dict[str, list[_Probed]] = {name: [] for name in subject.arguments()}
    skipped: dict[str, list[Proof]] = {name: [] for name in probed}
    for name in rungs:
        rng = np.random.default_rng([*np.atleast_1d(seed), list(LADDER).index(name)])
        try:
            attempt = _Attempt(subject, name, rng)
        except NotRun as why:
            for proofs in skipped.values():
                proofs.append(_not_run(name, why))
            continue
        for argument in probed:
            try:
                result = attempt.probe(argument, most)
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


def _not_run(rung: str, why: NotRun) -> Proof:
    return Proof(rung, Verdict.NOT_RUN, why=str(why))


def _finding(subject: Subject, argument: str, proofs: list[Proof], results: list[_Probed]) -> Finding:
    """The rungs of one argument together, with the likely mistake where one of them failed."""
    verdicts = [proof.verdict for proof in proofs]
    verdict = next((v for v in (Verdict.FAIL, Verdict.PASS) if v in verdicts), Verdict.VACUOUS)
    failed = [result for result in results if result.proof.verdict is Verdict.FAIL]
    shown = max(failed or results, key=lambda result: (len(result.wrong), len(result.chosen)), default=None)
    if shown is None:
        empty = np.zeros(0)
        return Finding(argument, verdict, tuple(proofs), empty, empty)
    reasons = explain(_evidence(subject, argument, shown)) if shown.wrong else []
    return Finding(argument, verdict, tuple(proofs), shown.analytic, shown.numeric, tuple(shown.wrong), tuple(reasons))


def _evidence(subject: Subject, argument: str, shown: _Probed) -> Evidence:
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


class _Attempt:
    """One rung on one subject: a cotangent, the claimed gradients, and probes of the function."""

    def __init__(self, subject: Subject, name: str, rng: np.random.Generator) -> None:
        """Raises NotRun where the subject cannot be put on the rung's numbers."""
        self.name, self.rung, self.rng = name, LADDER[name], rng
        self.plain, self.objects = subject, self.rung.numbers in ("fractions", "digits")
        self.steps: dict[str, Differences] = {}
        elements = sum(a.size for a in subject.arguments().values())
        if self.objects and elements > LARGEST:
            raise NotRun(f"too large for Python numbers: {elements:,} elements, at most {LARGEST:,}")
        self.subject = subject.on(self.rung.numbers)
        self.out = self.subject.output()
        if self.objects and self.out.size > LARGEST:
            raise NotRun(f"too large for Python numbers: {self.out.size:,} outputs, at most {LARGEST:,}")
        self.dout = _cotangent(self.out.shape, self.rung.numbers, rng)
        self.claimed = self.subject.gradients(self.dout)

    def probe(self, name: str, most: int) -> _Probed:
        """Coordinates one by one, then directions. Raises NotRun where this argument cannot be measured so."""
        argument, analytic = self.subject.arguments()[name], self.claimed[name]
        measure = self._measure(name)
        coordinates = most if self.rung.coordinates is None else min(most, self.rung.coordinates)
        plain = np.asarray(analytic.real if analytic.dtype != object else floats(analytic), np.float64)
        dout = np.asarray(self.dout.real if not self.objects else floats(self.dout), np.float64)
        found = _Probed(Proof(self.name, Verdict.VACUOUS), plain, dout, np.full(argument.shape, np.nan))
        keeps = self.out.size * min(coordinates, argument.size) <= KEPT
        probes, asleep, wrong, error, largest = 0, True, 0, 0.0, 0.0
        for direction in self._directions(argument, coordinates):
            index = direction if isinstance(direction, tuple) else None
            with np.errstate(invalid="ignore", over="ignore"):  # a NaN is wrong, and found so
                claimed = analytic[index] if index is not None else (analytic * direction).sum()
            claimed = claimed.real if self.rung.numbers == "complex128" else claimed
            line = Line(self.subject.output, self.out, argument, direction)
            slope = measure(line, claimed)
            right = slope.accepts(claimed)
            if not right and not self.subject.trusted and self.rung.measure is not None:
                slope = self._confirmed(name, direction, slope, claimed)
                right = slope.accepts(claimed)
            probes += 1
            asleep = asleep and slope.accepts(0)
            wrong += not right
            miss = slope.error(claimed)
            error = max(error, miss if np.isfinite(miss) else np.inf)
            largest = max(largest, abs(float(slope.low)), abs(float(slope.high)))
            found.room = max(found.room, float(slope.room))
            if index is not None:
                found.numeric[index] = float(claimed) if right and slope.kink else float(slope.value)
                found.chosen.append(index)
                if keeps:
                    found.columns.append(slope.column.reshape(self.out.shape))
                if not right:
                    found.wrong.append(index)
        verdict = Verdict.FAIL if wrong else Verdict.VACUOUS if asleep else Verdict.PASS
        top = max(largest, float(np.abs(plain).max(initial=0.0))) or 1.0
        detectable = found.room / largest if largest else float("inf")
        found.proof = Proof(self.name, verdict, probes, error / top, detectable)
        return found

    def _measure(self, name: str) -> Callable[[Line, Any], Slope]:
        measure = self.rung.measure
        if measure is None:
            return self._differences(self.subject, name, self.dout).slope
        flat = self.dout.reshape(-1)
        if self.rung.numbers == "digits" and not self.subject.trusted:
            return lambda line, claimed: _roomier(measure(line, flat))
        return lambda line, claimed: measure(line, flat)

    def _differences(self, subject: Subject, name: str, dout: Array) -> Differences:
        """With a step chosen along three directions of the length of a coordinate."""
        argument, out = subject.arguments()[name], subject.output()
        directions = [self.rng.normal(size=argument.shape) / max(1, argument.size) ** 0.5 for _ in range(3)]
        return Differences([Line(subject.output, out, argument, d) for d in directions], dout.reshape(-1))

    def _confirmed(self, name: str, direction: Array | Index, slope: Slope, claimed: Any) -> Slope:
        """A slope that speaks against anyone's backward, if plain differences bear it out. Raises NotRun if not.

        A formula may drop imaginary parts or round to floats on its way; then the slope is not the function's. Where
        it bends, any claim between the one-sided slopes is right.
        """
        plain = self.plain
        dout = np.asarray(self.dout.real if not self.objects else floats(self.dout), np.float64)
        along = direction if isinstance(direction, tuple) else direction.astype(np.float64)
        line = Line(plain.output, plain.output(), plain.arguments()[name], along)
        if name not in self.steps:  # one choice of the step serves every line of an argument
            self.steps[name] = self._differences(plain, name, dout)
        seen = self.steps[name].slope(line, float(claimed))
        if seen.kink and seen.accepts(float(claimed)):
            return seen
        if seen.error(float(slope.value)) > seen.room + 1e-4 * seen.scale:
            raise NotRun(f"the forward does not carry {self.rung.numbers} through to its output")
        return slope

    def _directions(self, argument: Array, most: int) -> Iterator[Index | Array]:
        """The coordinates, all or a random sample, as indices; then arrays that move everything.

        At a tie the one-sided slopes lie apart, and hide much between them. Where equal elements move alike, a tie
        stays one and the slope is a number.
        """
        whole = argument.size <= most
        for flat in np.arange(argument.size) if whole else self.rng.choice(argument.size, most, replace=False):
            yield tuple(int(i) for i in np.unravel_index(flat, argument.shape))
        for _ in range((1 if whole and most else self.rung.directions) if argument.size else 0):
            yield self._steps(argument.size).reshape(argument.shape)
        level = np.asarray(floats(argument) if self.objects else argument.real)
        values, which = np.unique(level, return_inverse=True)
        for _ in range(2 if values.size < argument.size else 0):  # equal elements move alike, so that ties stay ties
            yield self._steps(values.size)[which.reshape(argument.shape)]

    def _steps(self, count: int) -> Array:
        """Steps of either sign, none near zero; whole numbers for Python numbers."""
        size = self.rng.integers(1, 9, count) if self.objects else self.rng.uniform(0.5, 1.5, count)
        return np.asarray(self.rng.choice([-1, 1], count) * size)


def _roomier(slope: Slope) -> Slope:
    """With room for constants that were rounded to floats."""
    return replace(slope, room=max(slope.room, UNTRUSTED_RELATIVE * slope.scale))


def _cotangent(shape: tuple[int, ...], numbers: Numbers, rng: np.random.Generator) -> Array:
    """Random, signed, non-uniform, never zero."""
    if numbers == "fractions":  # small ones
        return convert(np.asarray((rng.integers(-8, 8, shape) + 0.5) / 4), numbers)
    return convert(np.asarray(rng.normal(size=shape) + 0.1), numbers)


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
                min(p.detectable for p in same),
                same[0].why,
            )
        )
    verdicts = [proof.verdict for proof in joined]
    verdict = next((v for v in (Verdict.FAIL, Verdict.PASS) if v in verdicts), Verdict.VACUOUS)
    shown = next((finding for finding in findings if finding.verdict is verdict), findings[0])
    return Finding(
        shown.argument, verdict, tuple(joined), shown.analytic, shown.numeric, shown.wrong, shown.explanations
    )
