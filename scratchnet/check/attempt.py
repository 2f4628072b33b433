"""One rung of the ladder on one subject: a cotangent, the claimed gradients, and probes of the function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scratchnet.core.types import Array

from .directions import alike_directions, cotangent, steps
from .errors import CheckError
from .neighbourhood import Neighbourhood
from .numbers import Numbers, floats
from .report import Proof, Verdict
from .slopes import (
    Differences,
    Index,
    Line,
    NoEvidence,
    Slope,
    affine_slope,
    complex_slope,
    digits_slope,
    exact_slope,
)
from .subject import NotRun, Subject, size_of
from .tally import Probed, Tally
from .tolerances import UNTRUSTED_RELATIVE

LARGEST = 2000
"""Elements of arguments and output beyond which Python numbers take too long. A smaller case proves the same code."""

KEPT = 5_000_000
"""Slopes of outputs that are kept for the explanation; of larger arguments it does with sums."""


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


class Attempt:
    """One rung on one subject."""

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
        if not self.objects and not np.isfinite(self.out).all():
            raise CheckError("the output has NaN or infinity in it", actual=self.out[~np.isfinite(self.out)][0])
        self.dout = cotangent(self.out.shape, self.rung.numbers, rng)
        self.claimed = self.subject.gradients(self.dout)
        self.arguments = self.subject.arguments()
        self.nearby = Neighbourhood(subject, self._plain(self.dout), rng)

    def _plain(self, array: Array) -> Array:
        """An array of any numbers in floats."""
        return np.asarray(floats(array) if array.dtype == object else array.real, np.float64)

    def probe(self, name: str, most: int) -> Probed:
        """Coordinates one by one, then directions. Raises NotRun where this argument cannot be measured so."""
        argument, analytic = self.arguments[name], self.claimed[name]
        unit, measure, tally = size_of(self._plain(argument)), self._measure(name), Tally()
        coordinates = most if self.rung.coordinates is None else min(most, self.rung.coordinates)
        found = Probed(Proof(self.name, Verdict.VACUOUS), self._plain(analytic), self._plain(self.dout),
                       np.full(argument.shape, np.nan))  # fmt: skip
        keeps = self.out.size * min(coordinates, argument.size) <= KEPT
        for direction in self._directions(argument, coordinates):
            index = direction if isinstance(direction, tuple) else None
            claimed = analytic[index] if index is not None else np.asarray(analytic * direction).sum()
            claimed = claimed.real if self.rung.numbers == "complex128" else claimed
            line = Line(self.subject.output, self.out, [(argument, direction)], unit)
            try:
                slope = measure(line, claimed)
                if not slope.accepts(claimed):
                    slope = self._second_thoughts(name, direction, slope, claimed)
            except NoEvidence:
                tally.skipped += 1
                continue
            right = tally.add(slope, claimed, index is not None)
            if index is not None:
                found.numeric[index] = float(claimed) if right and slope.kink else float(slope.value)
                found.chosen.append(index)
                if keeps:
                    found.columns.append(slope.column.reshape(self.out.shape))
                if not right:
                    found.wrong.append(index)
        found.room = max(tally.rooms.values())
        found.proof = tally.proof(self.name, found)
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
        """With a step chosen along two directions of the length of a coordinate; one choice serves an argument."""
        if name not in self.steps:
            argument, out = subject.arguments()[name], subject.output()
            unit = size_of(argument)
            directions = [self.rng.normal(size=argument.shape) / max(1, argument.size) ** 0.5 for _ in range(2)]
            lines = [Line(subject.output, out, [(argument, np.asarray(d))], unit) for d in directions]
            self.steps[name] = Differences(lines, dout.reshape(-1))
        return self.steps[name]

    def _second_thoughts(self, name: str, direction: Array | Index, slope: Slope, claimed: Any) -> Slope:
        """What else there is to say before a claim counts as wrong.

        Of anyone's formula, that it may drop imaginary parts or round to floats on its way: then the slope is not the
        function's. At a kink, that gradients of points around it span what is right there. In floats, that the
        backward's own rounding is as large as it moves when inputs change in their last bit.
        """
        if not self.subject.trusted and self.rung.numbers in ("digits", "complex128"):
            slope = self._confirmed(name, direction, slope, claimed)
        if slope.kink and not slope.accepts(claimed):
            low, high = self.nearby.span(name, direction)
            room = max(float(slope.room), 1e-5 * max(abs(low), abs(high)))
            slope = replace(slope, low=min(slope.low, low), high=max(slope.high, high), room=room)
            if self.subject.composed and not slope.accepts(claimed) and self.nearby.right_beside(name, direction):
                raise NoEvidence  # where kinks meet the chain rule gives no subgradient; 0 at 0 is the convention
        if not self.objects and not slope.accepts(claimed):
            slope = replace(slope, room=slope.room + self.nearby.rounding(name, direction))
        return slope

    def _confirmed(self, name: str, direction: Array | Index, slope: Slope, claimed: Any) -> Slope:
        """A slope that speaks against a claim, if plain differences bear it out. Raises NotRun if they do not."""
        plain = self.plain
        along = direction if isinstance(direction, tuple) else direction.astype(np.float64)
        argument = plain.arguments()[name]
        line = Line(plain.output, plain.output(), [(argument, along)], size_of(argument))
        seen = self._differences(plain, name, self._plain(self.dout)).slope(line, float(claimed))
        if seen.kink:
            return seen
        doubt = seen.room + 1e-4 * seen.scale
        if seen.error(float(slope.value)) > doubt or seen.room > abs(float(slope.value)):
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
            yield steps(self.rng, argument.size, self.objects).reshape(argument.shape)
        for (alike,) in alike_directions([self._plain(argument)], self.rng, self.objects):
            yield alike


def _roomier(slope: Slope) -> Slope:
    """With room for constants that were rounded to floats."""
    return replace(slope, room=max(slope.room, UNTRUSTED_RELATIVE * slope.scale))
