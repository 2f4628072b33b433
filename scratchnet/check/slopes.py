"""The slope of Σ dout·f along a line, measured in five ways. Each says between which numbers a claim is right.

Outputs and cotangents are flat here: an array of objects without axes would turn into a bare number. Steps are taken in
units of the argument's own size. Where the output jumps, or is not finite, a line is no evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from scratchnet.core.types import Array

from .numbers import floats
from .subject import NotRun
from .tolerances import (
    AFFINE_ROUNDINGS,
    COMPLEX_FLOOR,
    COMPLEX_RELATIVE,
    COMPLEX_STEP,
    DIGITS_FLOOR,
    DIGITS_RELATIVE,
    FINITE_RELATIVE,
    FINITE_STEPS,
    KINK_STEP,
)

Index = tuple[int, ...]
Move = tuple[Array, "Array | Index"]
"""An argument and how it moves: along an array of its shape, or in the one coordinate of an index."""

EPS = float(np.finfo(np.float64).eps)


class NoEvidence(Exception):  # noqa: N818  (no error: this line says nothing about a slope)
    """The output jumps or is not finite along the line."""


class Line:
    """The outputs along a line through the arguments, f(arguments + t·moves), flat, each computed once.

    Attributes:
        unit: a power of two about as large as what moves; steps are multiples of it.
    """

    def __init__(self, f: Callable[[], Array], out: Array, moves: Sequence[Move], unit: float = 1.0) -> None:
        self._f, self._moves, self.unit = f, moves, unit
        self._kept: dict[Any, Array] = {0: out.reshape(-1)}

    def at(self, t: Any) -> Array:
        """f(arguments + t·moves); the arguments are put back."""
        if t not in self._kept:
            before = [a[how] if isinstance(how, tuple) else a.copy() for a, how in self._moves]
            try:
                for argument, how in self._moves:
                    if isinstance(how, tuple):
                        argument[how] += t
                    else:
                        argument[...] += t * how
                self._kept[t] = self._f().reshape(-1)
            finally:
                for (argument, how), old in zip(self._moves, before, strict=True):
                    argument[how if isinstance(how, tuple) else ...] = old
        return self._kept[t]


@dataclass(frozen=True)
class Slope:
    """A measured slope of Σ dout·f.

    Attributes:
        low, high: any claim between them is right: one number, or at a kink the ends of the subgradient.
        room: … give or take this much.
        scale: Σ |dout·slope|, what an error is relative to.
        column: the slope of every output.
        kink: whether the function bends here, so that low and high differ.
    """

    low: float
    high: float
    room: float
    scale: float
    column: Array
    kink: bool = False

    @property
    def value(self) -> float:
        """The slope, or the middle of the subgradient."""
        return (self.low + self.high) / 2

    def error(self, claimed: Any) -> float:
        """How far a claim lies outside of what is right."""
        return float(max(self.low - claimed, claimed - self.high, 0))

    def accepts(self, claimed: Any) -> bool:
        """Whether a claim is right. Never for NaN."""
        return bool(self.low - self.room <= claimed <= self.high + self.room)


def exact_slope(line: Line, dout: Array) -> Slope:
    """Without any error, for outputs that are piecewise linear or quadratic along the line.

    On fractions (-3f₀ + 4f₁ - f₂)/2h is the one-sided slope of a quadratic, exactly. That each side is one is seen
    from its third difference, which is then zero. Raises NotRun where it is not.
    """
    h = Fraction(1, 2**60) * Fraction(line.unit)  # floats differ by 2^-52: a kink lies at the point or out of reach

    def side(sign: int) -> Array:
        f0, f1, f2 = (line.at(n * sign * h) for n in range(3))
        _refuse_jump(f0, f1, f2)
        if ((f2 - f1) - (f1 - f0) == 0).all():
            return np.asarray((f1 - f0) / (sign * h))
        if not (line.at(3 * sign * h) - 3 * f2 + 3 * f1 - f0 == 0).all():
            raise NotRun("the output is no polynomial of the second degree")
        return np.asarray((4 * (f1 - f0) - (f2 - f0)) / (2 * sign * h))

    ahead, behind = dout * side(1), dout * side(-1)
    column = floats(np.asarray((ahead + behind) / (2 * dout), object))
    low, high = np.minimum(ahead, behind).sum(), np.maximum(ahead, behind).sum()
    return Slope(low, high, 0, float(np.abs(ahead).sum()), column, bool(low != high))


def digits_slope(line: Line, dout: Array) -> Slope:
    """On 100 digits with h = 1e-33: one-sided slopes of three points err by h² and by 1e-100/h.

    Where the two sides differ the function bends, and any claim between them is right.
    """
    from .digits import Digits  # here, because mpmath is an optional package; who has Digits has it

    h: Any = Digits(Fraction(1, 10**33) * Fraction(line.unit))
    f0, f1, f2, b1, b2 = (line.at(n * h) if n else line.at(0) for n in (0, 1, 2, -1, -2))
    _refuse_jump(f0, f1, f2)
    _refuse_jump(f0, b1, b2)
    ahead, behind = (4 * (f1 - f0) - (f2 - f0)) / (2 * h), (4 * (f0 - b1) - (f0 - b2)) / (2 * h)
    column = (ahead + behind) / 2
    scale = np.abs(dout * column).sum()
    floor = DIGITS_FLOOR * (1 + np.abs(f0).max(initial=0) / line.unit)  # what 100 digits leave of terms that cancel
    room = DIGITS_RELATIVE * scale + floor * np.abs(dout).max(initial=0)
    bends = np.abs(ahead - behind) > DIGITS_RELATIVE * (np.abs(ahead) + np.abs(behind)) + floor
    plain = floats(np.asarray(column, object))
    if bends.any():
        low = np.minimum(dout * ahead, dout * behind).sum()
        high = np.maximum(dout * ahead, dout * behind).sum()
        return Slope(low, high, room, float(scale), plain, True)
    value = (dout * column).sum()
    return Slope(value, value, room, float(scale), plain)


def complex_slope(line: Line, dout: Array) -> Slope:
    """Im f(argument + ih·direction)/h: no subtraction, so no step is too small (Squire & Trapp 1998).

    At a kink it is the slope of the branch that the forward takes.
    """
    h = COMPLEX_STEP * line.unit
    column = line.at(1j * h).imag / h
    d = dout.real
    value, scale = float((d * column).sum()), float((np.abs(d) * np.abs(column)).sum())
    room = COMPLEX_RELATIVE * scale + COMPLEX_FLOOR * float(np.abs(d).max(initial=0.0))
    if not np.isfinite(value):
        raise NoEvidence
    return Slope(value, value, room, scale, column)


def affine_slope(line: Line, dout: Array) -> Slope:
    """(f(argument + v) - f(argument - v))/2 for a v as large as the argument, where f is affine between them.

    So there is no step to choose and no error but rounding. Raises NotRun where f is not affine.
    """
    f0, up, down = line.at(0), line.at(line.unit), line.at(-line.unit)
    size = np.maximum(np.abs(up), np.abs(down))
    if not (np.abs(up - 2 * f0 + down) <= AFFINE_ROUNDINGS * EPS * size.max(initial=0.0)).all():
        raise NotRun("the output is not affine")
    column = (up - down) / 2 / line.unit
    room = AFFINE_ROUNDINGS * EPS * float((np.abs(dout) * size).sum()) / line.unit
    value = float((dout * column).sum())
    return Slope(value, value, room, float(np.abs(dout * column).sum()), column)


class Differences:
    """Five-point differences in floats, with a step chosen for one argument from the noise that is found there."""

    def __init__(self, lines: list[Line], dout: Array) -> None:
        """Choose the step whose slopes along the given lines change least when it is halved, and note by how much."""
        self._dout = dout
        self.h, self.noise = FINITE_STEPS[1], float("inf")
        for h in FINITE_STEPS:
            moves = [abs(float((dout * (_five(line, h) - _five(line, h / 2))).sum())) for line in lines]
            rounding = EPS * float(np.abs(dout * lines[0].at(0)).max(initial=0.0)) / (h * lines[0].unit)
            change = float(np.median(moves)) + rounding  # the median, for a kink may lie on one of them
            if change < self.noise:  # never where a step leads out of the function's domain
                self.h, self.noise = h, change
        if not np.isfinite(self.noise):
            self.noise = 0.0

    def room(self, scale: float) -> float:
        """How far a claimed slope may lie from one of that size."""
        return FINITE_RELATIVE * scale + 10 * self.noise

    def slope(self, line: Line, claimed: float) -> Slope:
        """The slope; where the claim is another, the two one-sided slopes of every output, which bracket it."""
        dout, out = self._dout, line.at(0)
        column = _five(line, self.h)
        value, scale = float((dout * column).sum()), float(np.abs(dout * column).sum())
        smooth = Slope(value, value, self.room(abs(value)), scale, column)
        if smooth.accepts(claimed):
            return smooth
        h = KINK_STEP * line.unit
        up, down = line.at(h), line.at(-h)
        if not (np.isfinite(up).all() and np.isfinite(down).all()):
            raise NoEvidence
        for side in (1, -1):
            _refuse_jump(out, line.at(side * h), line.at(2 * side * h), 1e4 * EPS)
        ahead, behind = dout * (up - out) / h, dout * (out - down) / h  # what each output says of Σ dout·f
        low, high = float(np.minimum(ahead, behind).sum()), float(np.maximum(ahead, behind).sum())
        least = 8 * EPS * np.abs(dout * out) / h  # what rounding hides of each output's slope …
        most = float(least.max(initial=0.0)) or 1.0  # … also of one that did not move
        ulps = least * ((up != out) | (down != out))
        rounding = most * (1 + float(np.sqrt(((ulps / most) ** 2).sum())))
        room = FINITE_RELATIVE * max(abs(low), abs(high)) + rounding + 10 * self.noise
        bends = bool((np.abs(ahead - behind) > 1e-3 * np.abs(ahead + behind) + 2 * ulps).any())
        bent = Slope(low, high, room, scale, column, bends)
        return bent if bends or bent.accepts(claimed) or not bent.accepts(value) else smooth


def _five(line: Line, h: float) -> Array:
    """Five-point difference: error h⁴·f⁽⁵⁾/30, rounding about eps·|f|/h."""
    h *= line.unit
    near, far = line.at(h) - line.at(-h), line.at(2 * h) - line.at(-2 * h)
    return np.asarray((8 * near - far) / (12 * h))


def _refuse_jump(f0: Array, f1: Array, f2: Array, relative: float = 0.0) -> None:
    """Raise NoEvidence where an output moves as far in one step as in two: then it jumps, and has no slope."""
    near, far = np.abs(f1 - f0), np.abs(f2 - f0)
    if ((near * 4 > far * 3) & (near > relative * np.abs(f0).max(initial=0))).any():
        raise NoEvidence
