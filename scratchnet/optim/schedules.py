"""Learning rates as pure functions of the step: schedule(step) -> lr, the step counted from 0.

    schedule = Warmup(Cosine(0.1, steps=9_000), steps=1_000)
    for step, (x, y) in enumerate(batches):
        ...
        opt.step(net, lr=schedule(step))

A schedule remembers nothing, so a checkpoint need not keep it: it needs the step alone. What depends on how the
training goes is `ReduceOnPlateau` (plateau.py), which does remember. Where PyTorch has the same schedule, the numbers
are the same; past its end a schedule stays at its last value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from scratchnet.core.layer import require


class Schedule(Protocol):
    """Anything that turns a step into a learning rate."""

    def __call__(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        ...


def _cosine(start: float, stop: float, part: float) -> float:
    """Half a cosine from start (part = 0) to stop (part = 1)."""
    return stop + (start - stop) * (1 + math.cos(math.pi * part)) / 2


def _check(lr: float, steps: int = 1) -> None:
    require(lr >= 0, "the learning rate is not negative", actual=lr)
    require(steps >= 1, "a schedule lasts one step or more", actual=steps)


@dataclass(frozen=True)
class Constant:
    """lr, always."""

    lr: float

    def __post_init__(self) -> None:
        _check(self.lr)

    def __call__(self, step: int) -> float:
        """lr."""
        return self.lr


@dataclass(frozen=True)
class StepDecay:
    """lr · factor^⌊step/every⌋: PyTorch's StepLR.

    Args:
        lr: the first learning rate.
        every: after how many steps it changes.
        factor: by how much.
    """

    lr: float
    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        _check(self.lr, self.every)
        require(self.factor > 0, "factor is positive", actual=self.factor)

    def __call__(self, step: int) -> float:
        """lr · factor^⌊step/every⌋."""
        return self.lr * self.factor ** (step // self.every)


@dataclass(frozen=True)
class Cosine:
    """final + (lr - final)·(1 + cos(π·step/steps))/2 (Loshchilov & Hutter 2017, eq. 5, without restarts).

    PyTorch's CosineAnnealingLR for `steps` steps; then it stays at `final`, where PyTorch's rises again.

    Args:
        lr: the first learning rate.
        steps: at which step `final` is reached.
        final: the last learning rate.
    """

    lr: float
    steps: int
    final: float = 0.0

    def __post_init__(self) -> None:
        _check(self.lr, self.steps)
        require(self.final >= 0, "the learning rate is not negative", actual=self.final)

    def __call__(self, step: int) -> float:
        """From lr to final."""
        return _cosine(self.lr, self.final, min(step / self.steps, 1.0))


@dataclass(frozen=True)
class Warmup:
    """For `steps` steps schedule(0)·(step + 1)/(steps + 1), a straight line; then `schedule`, from its own step 0.

    The line would be at 0 one step before the first, and is at schedule(0) where the schedule begins.

    Args:
        schedule: what follows; any function of the step.
        steps: how long the rate rises.
    """

    schedule: Schedule
    steps: int

    def __post_init__(self) -> None:
        require(callable(self.schedule), "schedule is a function of the step", actual=repr(self.schedule))
        require(self.steps >= 0, "a warm-up takes no negative number of steps", actual=self.steps)

    def __call__(self, step: int) -> float:
        """Up the line, then along the schedule."""
        if step < self.steps:
            return self.schedule(0) * (step + 1) / (self.steps + 1)
        return self.schedule(step - self.steps)


@dataclass(frozen=True)
class OneCycle:
    """Half a cosine from lr/div up to lr, and another one down to lr/(div·final_div) (Smith & Topin 2018).

    PyTorch's OneCycleLR with two phases. The peak lies at step pct·steps - 1, the end at step steps - 1.

    Args:
        lr: the peak.
        steps: length of the whole.
        pct: which part of the steps the rise takes.
        div: the peak over the first learning rate.
        final_div: the first learning rate over the last.
    """

    lr: float
    steps: int
    pct: float = 0.3
    div: float = 25.0
    final_div: float = 1e4

    def __post_init__(self) -> None:
        _check(self.lr, self.steps)
        require(0 <= self.pct <= 1, "pct lies in [0, 1]", actual=self.pct)
        require(self.div > 0 and self.final_div > 0, "divisors are positive", actual=(self.div, self.final_div))

    def __call__(self, step: int) -> float:
        """Up, then down."""
        first, peak, end = self.lr / self.div, self.pct * self.steps - 1, self.steps - 1
        step = min(step, end)
        if step <= peak:
            return _cosine(first, self.lr, step / peak if peak > 0 else 1.0)
        return _cosine(self.lr, first / self.final_div, (step - peak) / (end - peak))
