"""Axes: where a value stands on the paper, and which values are named there."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from ..readings import g

LARGEST = 1e60
"""Beyond it a value is drawn as one that is not finite: differences of larger ones overflow."""
POWERS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
FLOOR = 16.0  # pixels kept below a logarithmic axis for values that have no logarithm


@dataclass(frozen=True)
class Axis:
    """From `low` at pixel `begin` to `high` at pixel `end`.

    Attributes:
        log: equal factors are equal distances.
        ticks: (value, its name), those that are named.
        floor: the pixel of values of 0 and below on a logarithmic axis; None where there are none.
    """

    low: float
    high: float
    begin: float
    end: float
    ticks: tuple[tuple[float, str], ...] = ()
    log: bool = False
    floor: float | None = None

    def at(self, value: float) -> float:
        """The pixel of a value; what lies beyond the axis stands at its end, what is no number at its beginning."""
        value = finite(value)
        if math.isnan(value):
            return self.begin
        if self.log:
            if value <= 0:
                return self.begin if self.floor is None else self.floor
            share = (math.log10(value) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        else:
            share = (value - self.low) / (self.high - self.low)
        return round(self.begin + min(max(share, 0.0), 1.0) * (self.end - self.begin), 1)


def finite(value: object) -> float:
    """A number that can be drawn, else NaN."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (OverflowError, TypeError, ValueError):
        return math.nan
    return number if abs(number) < LARGEST else math.nan


def linear(values: Iterable[float], begin: float, end: float, count: int = 5, whole: bool = False) -> Axis:
    """An axis of equal distances that holds all these values. `whole`: only whole numbers are named."""
    held = [v for v in map(finite, values) if not math.isnan(v)] or [0.0, 1.0]
    low, high = min(held), max(held)
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        room = abs(low) / 10 or 1.0
        low, high = low - (0.5 if whole else room), high + (0.5 if whole else room)
    step = 10.0 ** math.floor(math.log10((high - low) / count))
    step *= next(m for m in (1, 2, 5, 10) if (high - low) / (m * step) <= count)
    step = max(step, 1.0) if whole else step
    marks = [step * i for i in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
    return Axis(low, high, begin, end, tuple((m, _name(m, step)) for m in marks))


def logarithmic(values: Iterable[float], begin: float, end: float, count: int = 6) -> Axis:
    """An axis of equal factors; values of 0 and below stand at its floor."""
    held = [v for v in map(finite, values) if not math.isnan(v)]
    above = [max(v, 1e-60) for v in held if v > 0] or [0.1, 10.0]
    low, high = math.floor(math.log10(min(above)) + 1e-9), math.ceil(math.log10(max(above)) - 1e-9)
    low, high = (low, high) if high > low else (low - 1, high + 1)
    every = math.ceil((high - low + 1) / count)
    ticks = [(10.0**p, power(p)) for p in range(low, high + 1) if p % every == 0]
    if any(v <= 0 for v in held):
        start = begin - FLOOR if end < begin else begin + FLOOR
        return Axis(10.0**low, 10.0**high, start, end, ((0.0, "0"), *ticks), True, begin)
    return Axis(10.0**low, 10.0**high, begin, end, tuple(ticks), True)


def power(exponent: int) -> str:
    """A power of ten: 0.01, 1, 1,000, 10⁻⁵."""
    return f"{10.0**exponent:,.{max(0, -exponent)}f}" if -3 <= exponent <= 4 else f"10{str(exponent).translate(POWERS)}"


def say(value: object) -> str:
    """A number in words, whatever it is."""
    if value is None:
        return "–"
    try:
        number = float(value)  # type: ignore[arg-type]
    except (OverflowError, TypeError, ValueError):
        return "a number too large" if isinstance(value, int) else str(value)
    return f"{value:,}" if isinstance(value, int) and abs(number) < 1e9 else g(number)


def _name(value: float, step: float) -> str:
    if value == 0:
        return "0"
    if 1e6 <= abs(value) < 1e9:
        return f"{value / 1e6:g}M"
    if 1e-4 <= abs(value) < 1e6:
        return f"{value:,.{max(0, -math.floor(math.log10(step) + 1e-9))}f}"
    return f"{value:.3g}"
