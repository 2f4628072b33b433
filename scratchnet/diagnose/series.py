"""The course of a run's loss: the noise of single steps taken out, nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scratchnet.train.history import History

from .cause import known

STEPS = 20  # losses of single steps from which on they tell more than epochs
WINDOWS = 40  # stretches that a long run is cut into
SAMPLES = 16  # of a stretch, at the least: the loss of one sample says next to nothing
WORST = 1e30  # what a loss that is not finite counts as, so that it is neither lost nor spreads


@dataclass(frozen=True)
class Course:
    """The loss by stretches.

    Attributes:
        values: mean loss of each stretch; a loss that is not finite is left out.
        at: how many losses there are up to the end of each stretch; or the epoch.
        unit, stride: "step" or "epoch", and how many of them from one loss to the next.
        first: the very first loss, before any update.
        noise: the typical difference of a stretch's mean from its neighbours', by chance.
    """

    values: tuple[float, ...]
    at: tuple[int, ...]
    unit: str
    first: float
    noise: float
    stride: int = 1

    @property
    def start(self) -> float:
        """The level at the beginning: the very first loss or the first stretch, whichever is higher."""
        return max(self.first, self.values[0])

    @property
    def end(self) -> float:
        """The level at the end: the median of the last tenth of the stretches, three at the least."""
        return float(np.median(self.values[-max(3, len(self.values) // 10) :]))

    @property
    def middle(self) -> float:
        """The level half-way: the median of a tenth of the stretches, three at the least."""
        at, around = len(self.values) // 2, max(1, len(self.values) // 20)
        return float(np.median(self.values[at - around : at + around + 1]))

    @property
    def lowest(self) -> int:
        """The index of the lowest stretch."""
        return int(np.argmin(self.values))

    @property
    def highest(self) -> int:
        """The index of the highest stretch."""
        return int(np.argmax(self.values))

    def where(self, index: int) -> str:
        """The place of a stretch in words."""
        return f"{self.unit} {1 + (self.at[index] - 1) * self.stride}"


def course(history: History) -> Course:
    """Of the losses of single steps where these are known, else of the epochs' training losses."""
    losses = np.asarray(history.losses, float)
    seen = np.isfinite(losses)
    if seen.sum() >= STEPS:
        batch = next((look.batch for look in history.looks if look.batch), SAMPLES)
        width = max(1, math.ceil(SAMPLES / batch), math.ceil(len(losses) / WINDOWS))
        cuts = [slice(i, i + width) for i in range(0, len(losses), width)]
        parts = [(min(c.stop, len(losses)), losses[c][seen[c]]) for c in cuts]
        parts = [(at, part) for at, part in parts if part.size]
        if len(parts) > 1 and parts[-1][1].size < width / 2:  # a short last one is noise
            last = parts.pop()
            parts[-1] = (last[0], np.concatenate([parts[-1][1], last[1]]))
        values = tuple(float(np.clip(part, -WORST, WORST).mean()) for _, part in parts)
        at, unit = tuple(at for at, _ in parts), "step"
        spread = np.median(np.abs(np.diff(losses[seen]))) / math.sqrt(2 * width)
    else:
        told = [(e, m.loss) for e, m in history.measured("train") if m.loss is not None and math.isfinite(m.loss)]
        known(told or None, "the training loss")
        at, values = (tuple(x) for x in zip(*told, strict=True))
        unit, spread = "epoch", np.median(np.abs(np.diff(values))) / 2 if len(values) > 1 else 0.0
    return Course(
        values,
        at,
        unit,
        float(losses[seen][0]) if unit == "step" else values[0],
        float(spread),
        history.stride if unit == "step" else 1,
    )


def long(history: History, least: int = 4) -> Course:
    """A course with at least so many stretches."""
    found = course(history)
    known(found if len(found.values) >= least else None, f"the loss at {least} points or more")
    return found
