"""What one rung finds out about one argument, probe by probe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scratchnet.core.types import Array

from .report import Proof, Verdict
from .slopes import Index, Slope


@dataclass
class Probed:
    """What one rung found out about one argument.

    Attributes:
        proof: the verdict.
        analytic: the claimed gradient, in floats.
        dout: its cotangent, in floats.
        numeric: the measured slopes; NaN where no coordinate was probed.
        chosen: the probed coordinates; `columns` the slopes of every output by them, `wrong` those that disagree.
        room: the largest error that was allowed.
    """

    proof: Proof
    analytic: Array
    dout: Array
    numeric: Array
    columns: list[Array] = field(default_factory=list)
    chosen: list[Index] = field(default_factory=list)
    wrong: list[Index] = field(default_factory=list)
    room: float = 0.0


@dataclass
class Tally:
    """What the probes of one argument come to.

    Attributes:
        rooms: the largest error that was allowed, among coordinates (True) and directions (False) that were no kinks.
        largest: the largest slope by a coordinate.
        asleep: whether a gradient of zero would have passed every probe.
    """

    probes: int = 0
    kinks: int = 0
    skipped: int = 0
    wrong: int = 0
    error: float = 0.0
    largest: float = 0.0
    asleep: bool = True
    rooms: dict[bool, float] = field(default_factory=lambda: {True: 0.0, False: 0.0})

    def add(self, slope: Slope, claimed: Any, coordinate: bool) -> bool:
        """Take up a probe; returns whether the claim is right."""
        right, miss = slope.accepts(claimed), slope.error(claimed)
        self.probes += 1
        self.kinks += slope.kink
        self.wrong += not right
        self.asleep = self.asleep and slope.accepts(0)
        self.error = max(self.error, miss if np.isfinite(miss) else np.inf)
        if coordinate:
            self.largest = max(self.largest, abs(float(slope.low)), abs(float(slope.high)))
        if not slope.kink:
            self.rooms[coordinate] = max(self.rooms[coordinate], float(slope.room))
        return right

    def proof(self, rung: str, found: Probed) -> Proof:
        """The verdict, and the error of a single entry that would have been seen wherever it is.

        A direction moves every entry by half its unit at least, so that an entry shows there with half its error.
        """
        verdict = Verdict.FAIL if self.wrong else Verdict.VACUOUS if self.asleep else Verdict.PASS
        largest = self.largest or float(np.abs(found.analytic).max(initial=0.0))
        sampled = len(found.chosen) < found.analytic.size
        room = max(self.rooms[True], 2 * self.rooms[False]) if sampled else self.rooms[True]
        seen = room / largest if largest else float("inf")
        worst = self.error / (largest or 1.0)
        return Proof(rung, verdict, self.probes, worst, seen, kinks=self.kinks, skipped=self.skipped)
