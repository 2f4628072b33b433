"""The run over time: loss by step, loss and accuracy by epoch."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from statistics import median
from typing import TypeVar

import numpy as np

from scratchnet.train.history import History
from scratchnet.train.history.records import Measured

from ..cause import NotKnownError
from ..readings import accuracy, majority, pc, prior
from .axis import Axis, finite, linear, logarithmic, say
from .plot import Drawn, Plot, Point, xs, ys

STRETCHES = 200  # that a long run's steps are gathered into
STEEP = 30.0  # factor between the largest and the smallest loss above which the axis is logarithmic
DECADES = 1e8  # factor below the largest loss at which a logarithmic axis ends
MOST = 60  # events, looks or epochs that are marked one by one
KINDS = {"spike": "loss spike", "nonfinite": "first value that is not finite", "skipped": "step skipped"}
T = TypeVar("T")
SPLITS = ("train", "val", "test")


def loss_by_step(history: History) -> Drawn | None:
    """Every step; of a long run the middle of each stretch, and the area between its extremes."""
    told = [finite(v) for v in history.losses]
    steps = [1 + i * history.stride for i in range(len(told))]
    if not told:
        pairs = sorted((look.step, finite(look.loss)) for look in history.looks if look.loss is not None)
        steps, told = [s for s, _ in pairs], [v for _, v in pairs]
    held = [v for v in told if not math.isnan(v)]
    if not told:
        return None
    plot = Plot(linear([steps[0], steps[-1]], *xs(), whole=True), _axis(held), "step", "loss")
    low, middle, high = _stretches(steps, told)
    nothing = _or(lambda: prior(history))
    if nothing is not None and held and min(held) / 3 < nothing < 3 * max(held):
        plot.level(nothing, f"who knows only the classes' shares has {say(nothing)}")
    if len(told) > STRETCHES:
        plot.spread(low, high, "k0", "smallest and largest loss of each stretch")
    plot.line(middle, "k0", "loss", "step")
    key = [("k0", "loss")]
    key += [("level-key", "knowing nothing")] if any('class="level"' in part for part in plot.parts) else []
    width = max(1, math.ceil(len(told) / STRETCHES))
    lost = [s for i, s in enumerate(steps) if math.isnan(told[i]) and not math.isnan(middle[i // width][1])]
    for step in thin(lost):  # in a stretch of the line that hides it
        plot.event(step, "nonfinite", f"loss, step {say(step)}: no finite number")
    key += _marks(plot, history)
    key += [("lost-key", "no finite number")] if len(held) < len(told) else []
    if not held:
        return Drawn(plot.done("Loss by step"), "not one loss is a finite number", tuple(key))
    low_step = say(steps[int(np.nanargmin(told))])
    end = say(told[-1]) if not math.isnan(told[-1]) else "no finite number"
    caption = f"{say(told[0])} at step {say(steps[0])}, {end} at step {say(steps[-1])}; "
    caption += f"lowest {say(min(held))}, step {low_step}"
    return Drawn(plot.done("Loss by step"), caption, tuple(key))


def _marks(plot: Plot, history: History) -> list[tuple[str, str]]:
    """Looks on the axis and events above the picture; their key."""
    for look in thin(history.looks):
        plot.rug(look.step, f"looked at closely: step {look.step}, loss {say(look.loss)}")
    counts = Counter(event.what for event in history.events)
    for event in thin(history.events):
        kind = event.what if event.what in KINDS else "other"
        words = [KINDS.get(event.what, event.what), f"step {say(event.step)}", event.where, event.message]
        plot.event(finite(event.step), kind, ", ".join(w for w in words if w))
    key = [("rug-key", "looked at closely")] if history.looks else []
    signs = {what: what if what in KINDS else "other" for what in counts}
    return key + [(f"event-key {signs[k]}", f"{KINDS.get(k, k)} ×{n}") for k, n in counts.most_common(4)]


def loss_by_epoch(history: History) -> Drawn | None:
    """Of every split."""
    return _by_epoch(history, "loss", lambda m: m.loss, say, _axis)


def accuracy_by_epoch(history: History) -> Drawn | None:
    """Of every split, between nothing and all."""

    def axis(held: list[float]) -> Axis:
        marks = linear([0.0, 1.0, *held], *ys())
        return Axis(
            marks.low, marks.high, marks.begin, marks.end, tuple((v, f"{100 * v:.0f}%") for v, _ in marks.ticks)
        )

    return _by_epoch(history, "accuracy", accuracy, pc, axis, _or(lambda: majority(history)))


def _by_epoch(
    history: History,
    name: str,
    of: Callable[[Measured], float | None],
    words: Callable[[float], str],
    axis: Callable[[list[float]], Axis],
    level: float | None = None,
) -> Drawn | None:
    names = list(dict.fromkeys(split for epoch in history.epochs for split in epoch.splits))
    names.sort(key=lambda split: SPLITS.index(split) if split in SPLITS else len(SPLITS))
    lines: dict[str, list[Point]] = {}
    for split in names[:5]:
        points = [(finite(e), finite(v)) for e, m in history.measured(split) if (v := of(m)) is not None]
        if points:
            lines[split] = sorted(points)
    held = [y for points in lines.values() for _, y in points if not math.isnan(y)]
    if not lines:
        return None
    epochs = [x for points in lines.values() for x, _ in points]
    plot = Plot(linear(epochs, *xs(), whole=True), axis(held), "epoch", name)
    key = [(f"k{i}", split) for i, split in enumerate(lines)]
    if level is not None:
        plot.level(level, f"always naming the commonest class: {pc(level)}")
        key.append(("level-key", "always the commonest class"))
    for number, (split, points) in enumerate(lines.items()):
        plot.line(points, f"k{number}", split, "epoch")
    key += [("lost-key", "no finite number")] if any(math.isnan(y) for p in lines.values() for _, y in p) else []
    last = [f"{split} {words(points[-1][1])}" for split, points in lines.items()]
    caption = f"at the end: {', '.join(last)}" if len(set(epochs)) > 1 else f"one epoch: {', '.join(last)}"
    return Drawn(plot.done(f"{name.capitalize()} by epoch"), caption, tuple(key))


def _axis(held: list[float]) -> Axis:
    """Logarithmic where the largest is far above the typical one or that above the smallest, and none is below 0."""
    above = [v for v in held if v > 0]
    if above and min(held) >= 0 and max(above) > STEEP * min(median(held), STEEP * min(above)):
        return logarithmic([max(v, max(above) / DECADES) if v else v for v in held], *ys())
    return linear([0.0, *held] if above and min(held) > 0 else held, *ys())


def _stretches(steps: list[int], told: list[float]) -> tuple[list[Point], list[Point], list[Point]]:
    """(lowest, median, highest) of each stretch; NaN where it holds nothing finite."""
    width = max(1, math.ceil(len(told) / STRETCHES))
    low, middle, high = [], [], []
    for i in range(0, len(told), width):
        held = [v for v in told[i : i + width] if not math.isnan(v)] or [math.nan]
        at = (steps[i] + steps[min(i + width, len(steps)) - 1]) / 2 if width > 1 else float(steps[i])
        low.append((at, min(held)))
        middle.append((at, float(np.median(held))))
        high.append((at, max(held)))
    return low, middle, high


def thin(items: Sequence[T], most: int = MOST) -> list[T]:
    """The first, the last, and evenly many between."""
    if len(items) <= most:
        return list(items)
    if most < 2:
        return list(items[: max(most, 0)])
    return [items[round(i * (len(items) - 1) / (most - 1))] for i in range(most)]


def _or(reading: Callable[[], float]) -> float | None:
    """A reading, or None where it was not measured."""
    try:
        return reading()
    except (NotKnownError, ValueError, OverflowError, ZeroDivisionError):
        return None
