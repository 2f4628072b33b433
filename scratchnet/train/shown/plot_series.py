"""What of a history is drawn along an axis."""

from __future__ import annotations

import math

import numpy as np

from ..history import History

BLOCKS = 400
"""Points that the losses of steps are averaged to."""


def series(history: History, what: str) -> dict[str, list[tuple[float, float]]]:
    """(epoch, value) of every split that has any."""
    found: dict[str, list[tuple[float, float]]] = {}
    for epoch in history.epochs:
        for split, measured in epoch.splits.items():
            value = getattr(measured, what)
            if value is not None:
                found.setdefault(split, []).append((float(epoch.epoch), value))
    return found


def steps_an_epoch(history: History) -> float:
    """How many steps an epoch has; 0 where nobody says."""
    told = [epoch.batches for epoch in history.epochs if epoch.batches]
    return float(np.mean(told)) if told else 0.0


def blocks(history: History, each: float) -> list[tuple[float, float]]:
    """The losses of steps, so many averaged that the line can be seen; a block with one that is not finite is neither.

    Whether NaN means that nobody said it or that it was NaN, the events tell.
    """
    values, lost = history.losses, any(event.what == "nonfinite" for event in history.events)
    width = max(1, -(-len(values) // BLOCKS))
    found = []
    for start in range(0, len(values), width):
        known = [v for v in values[start : start + width] if lost or not math.isnan(v)]
        place = (1 + (start + (min(width, len(values) - start) - 1) / 2) * history.stride) / each
        if known:
            found.append((place, math.fsum(known) / len(known) if all(map(math.isfinite, known)) else math.inf))
    return found
