"""Slopes of a function measured with a step that is chosen from the noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scratchnet.core.types import Array

RELATIVE = 1e-6
"""Room for a slope besides the measured noise: five-point differences of a smooth function reach 1e-9 and better."""

STEPS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
KINK_STEP = 1e-6


@dataclass(frozen=True)
class Slope:
    """A measured slope, its distance from the one that was claimed, and whether that one is accepted."""

    value: float
    error: float
    agrees: bool


class Slopes:
    """Slopes of Σ dout·f() along directions in an argument, which is moved in place and put back."""

    def __init__(self, f: Callable[[], Array], dout: Array, out: Array) -> None:
        self._f, self._dout, self.out = f, dout, out

    def measure(self, argument: Array, direction: Array, h: float) -> float:
        """Five-point difference: error h⁴·f⁽⁵⁾/30, rounding about eps·|f|/h."""
        near = self._moved(argument, direction, h) - self._moved(argument, direction, -h)
        far = self._moved(argument, direction, 2 * h) - self._moved(argument, direction, -2 * h)
        return float((self._dout * (8 * near - far)).sum() / (12 * h))

    def choose_step(self, argument: Array, rng: np.random.Generator) -> tuple[float, float]:
        """(step, noise): the step whose slopes change least when it is halved, and by how much they do."""
        best, least = STEPS[2], float("inf")
        directions = [rng.normal(size=argument.shape) / max(1, argument.size) ** 0.5 for _ in range(3)]
        for h in STEPS if argument.size else ():
            moves = [abs(self.measure(argument, d, h) - self.measure(argument, d, h / 2)) for d in directions]
            rounding = np.finfo(np.float64).eps * float(np.abs(self._dout * self.out).max(initial=0.0)) / h
            change = float(np.median(moves)) + rounding  # the median, for a kink may lie on one of them
            if change < least:
                best, least = h, change
        return best, (least if np.isfinite(least) else 0.0)

    def tolerance(self, scale: float, noise: float) -> float:
        """How far a claimed slope may lie from one of that size."""
        return RELATIVE * scale + 10 * noise

    def compare(self, argument: Array, direction: Array, claimed: float, h: float, noise: float) -> Slope:
        """Hold a claimed slope against the measured one; at a kink against the one-sided slopes of every output."""
        value = self.measure(argument, direction, h)
        error = abs(claimed - value)
        if error <= self.tolerance(abs(value), noise):
            return Slope(value, error, True)
        tiny = KINK_STEP
        ahead = self._dout * (self._moved(argument, direction, tiny) - self.out) / tiny
        behind = self._dout * (self.out - self._moved(argument, direction, -tiny)) / tiny
        low, high = float(np.minimum(ahead, behind).sum()), float(np.maximum(ahead, behind).sum())
        rounding = 8 * np.finfo(np.float64).eps * float(np.abs(self._dout * self.out).max(initial=0.0)) / tiny
        room = RELATIVE * max(abs(low), abs(high)) + rounding
        if low - room <= claimed <= high + room:
            return Slope(claimed, 0.0, True)
        inside = low - room <= value <= high + room
        return Slope(value if inside else (low + high) / 2, error, False)

    def _moved(self, argument: Array, direction: Array, step: float) -> Array:
        before = argument.copy()
        argument += step * direction
        try:
            return self._f()
        finally:
            argument[...] = before
