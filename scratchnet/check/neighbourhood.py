"""The claimed gradients at points around the one that is checked: what rounding and kinks make of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

import numpy as np

from scratchnet.core.types import Array

from .slopes import Line
from .subject import Subject, size_of
from .tolerances import ASIDE, JITTER, JITTER_MOST, JITTER_ROOM, JITTERS, NEARBY, NEIGHBOURS


class Neighbourhood:
    """Gradients of a subject on float64 at random points around its arguments; each kind computed when asked for."""

    def __init__(self, subject: Subject, dout: Array, rng: np.random.Generator) -> None:
        self._subject, self._dout, self._rng = subject, dout, rng

    @cached_property
    def _rounded(self) -> list[tuple[dict[str, Array], dict[str, Array]]]:
        seeds = self._rng.integers(0, 2**32, JITTERS)
        return [(self._at(JITTER, True, int(s)), self._at(-JITTER, True, int(s))) for s in seeds]

    @cached_property
    def _around(self) -> list[dict[str, Array]]:
        return [self._at(NEARBY, False, int(s)) for s in self._rng.integers(0, 2**32, NEIGHBOURS)]

    @cached_property
    def _here(self) -> dict[str, Array]:
        return self._at(0.0, True, 0)

    def rounding(self, name: str, along: Array | tuple[int, ...]) -> float:
        """How far the slope that is claimed may be off by the rounding of the backward itself."""
        here = _slope(self._here[name], along)
        moves = [abs(_slope(up[name], along) - 2 * here + _slope(down[name], along)) for up, down in self._rounded]
        noise = JITTER_ROOM * float(np.median([move if np.isfinite(move) else 0.0 for move in moves]))
        gradient = self._here[name]
        largest = np.abs(gradient).max(initial=0.0) if isinstance(along, tuple) else np.abs(gradient * along).sum()
        return min(noise, JITTER_MOST * float(largest)) if np.isfinite(largest) else 0.0

    def span(self, name: str, along: Array | tuple[int, ...]) -> tuple[float, float]:
        """The least and the greatest slope that is claimed around a kink: all between is a generalised gradient."""
        slopes = [s for s in (_slope(gradients[name], along) for gradients in self._around) if np.isfinite(s)]
        return min(slopes, default=float("inf")), max(slopes, default=float("-inf"))

    def right_beside(self, name: str, along: Array | tuple[int, ...]) -> bool:
        """Whether most of three points a little way off the kink have the slope that is claimed there."""
        right = 0
        for seed in self._rng.integers(0, 2**32, 3):
            with self._moved(ASIDE, False, int(seed)):
                argument = self._subject.arguments()[name]
                claimed = _slope(self._subject.gradients(self._dout)[name], along)
                line = Line(self._subject.output, self._subject.output(), [(argument, along)])
                h = ASIDE * 1e-3 * size_of(argument)
                slope = float((self._dout.reshape(-1) * (line.at(h) - line.at(-h))).sum() / (2 * h))
                right += abs(slope - claimed) <= 1e-3 * max(abs(slope), abs(claimed)) + 1e-6
        return right >= 2

    def _at(self, distance: float, relative: bool, seed: int) -> dict[str, Array]:
        with self._moved(distance, relative, seed):
            return dict(self._subject.gradients(self._dout))

    @contextmanager
    def _moved(self, distance: float, relative: bool, seed: int) -> Iterator[None]:
        rng = np.random.default_rng(seed)
        arguments = self._subject.arguments()
        before = {name: a.copy() for name, a in arguments.items()}
        try:
            # of relative steps equal elements take equal ones: a tie that breaks moves a gradient by more than rounding
            everything = np.concatenate([a.reshape(-1) for a in arguments.values()])
            values, which = np.unique(everything, return_inverse=True)
            steps = iter(rng.choice([-1.0, 1.0], values.size)[which.reshape(-1)] if relative else ())
            for a in arguments.values():
                if relative:
                    a[...] *= 1 + distance * np.fromiter(steps, float, a.size).reshape(a.shape)
                else:
                    a[...] += distance * size_of(a) * rng.uniform(-1, 1, a.shape)
            yield
        finally:
            for name, old in before.items():
                arguments[name][...] = old


def _slope(gradient: Array, along: Array | tuple[int, ...]) -> float:
    return float(gradient[along] if isinstance(along, tuple) else np.asarray(gradient * along).sum())
