"""What went in and what came out: the inputs' range, and the classes predicted against those that are there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from scratchnet.train.history import History
from scratchnet.train.history.records import InputLook, SplitFacts

from ..readings import HELD_OUT, g, pc, shares
from .axis import finite, linear, say
from .plot import RIGHT, WIDTH, Drawn, Plot, xs, ys
from .rows import LABEL, Rows

DUE = 3.0
"""Scaled inputs lie within: standardised ones nearly all, pixels of 0..1 all."""
CLASSES = 60  # that have bars
WIDEST = 34.0  # pixels


def input_range(history: History) -> Drawn | None:
    """Lowest to highest value of every split and of the first batch; a bar is a standard deviation around the mean."""
    told: list[tuple[str, SplitFacts | InputLook]] = []
    told += [(name, facts) for name, facts in history.data.items()][:6]
    first = next((look for look in history.looks if look.inputs), None)
    if first is not None and first.inputs is not None:
        told.append((f"batch {say(first.step)}", first.inputs))
    told = [(name, x) for name, x in told if x.minimum is not None and x.maximum is not None]
    if not told:
        return None
    spots = {name: [finite(v) for v in (x.minimum, x.maximum)] for name, x in told}
    held = [v for pair in spots.values() for v in pair if not math.isnan(v)]
    axis = linear([-DUE, DUE, *held], LABEL + 4, WIDTH - RIGHT - 6)
    rows = Rows([name for name, _ in told], axis, "value as the network gets it")
    rows.band(-DUE, DUE, f"scaled inputs lie within −{DUE:g} to {DUE:g}")
    for row, (name, x) in enumerate(told):
        low, high = spots[name]
        if math.isnan(low) or math.isnan(high):
            rows.cross(row, f"{name}: {say(x.minimum)} to {say(x.maximum)}")
            continue
        rows.bar(row, low, high, "k0 faint", f"{name}: from {say(low)} to {say(high)}", (0.3, 0.7))
        if x.mean is not None and x.std is not None:
            mean, std = finite(x.mean), finite(x.std)
            if not math.isnan(mean + std):
                ends = max(mean - std, low), min(mean + std, high)
                rows.bar(row, *ends, "k0", f"{name}: mean {say(mean)}, standard deviation {say(std)}", (0.1, 0.9))
                rows.dot(row, mean, "paper", f"{name}: mean {say(mean)}")
    name, x = told[0]
    caption = f"{name}: {say(x.minimum)} to {say(x.maximum)}"
    caption += f", mean {g(x.mean)} ± {g(x.std)}" if x.mean is not None and x.std is not None else ""
    key = (("band-key", "scaled inputs"), ("bar-key k0 faint", "lowest to highest"), ("bar-key k0", "mean ± std"))
    return Drawn(rows.done("Range of the inputs"), caption, key)


def predictions(history: History) -> Drawn | None:
    """How often each class is predicted against how often it is right, in the last epoch or at the last look."""
    split, labels, guesses = _shares(history)
    if not labels:
        return None
    order = list(range(len(labels)))
    if len(order) > CLASSES:
        order.sort(key=lambda c: -max(labels[c], 0.0 if math.isnan(guesses[c]) else guesses[c]))
        order = sorted(order[:CLASSES])
    top = max([labels[c] for c in order] + [v for c in order if not math.isnan(v := guesses[c])])
    y = linear([0.0, top], *ys())
    y = replace(y, ticks=tuple((v, f"{100 * v:.3g}%") for v, _ in y.ticks))
    x = linear([0.0, len(order)], *xs())
    width = (x.end - x.begin) / len(order)
    every = math.ceil(len(order) / 16)
    middles = tuple((i + 0.5, str(c)) for i, c in enumerate(order) if i % every == 0)
    plot = Plot(replace(x, ticks=middles), y, "class", "share")
    for i, c in enumerate(order):
        part = min(0.38 * width, WIDEST)
        left = x.begin + (i + 0.5) * width - 1.05 * part
        plot.bar(left, part, labels[c], "k0 hollow", f"class {c}: {pc(labels[c])} of the labels")
        if not math.isnan(guesses[c]):
            plot.bar(left + 1.1 * part, part, guesses[c], "k1", f"class {c}: {pc(guesses[c])} of the predictions")
    some = f" ({CLASSES} of {len(labels)} classes)" if len(order) < len(labels) else ""
    key = [("bar-key k0 hollow", f"labels, {split}")]
    if not all(map(math.isnan, guesses)):
        most = max(range(len(guesses)), key=lambda c: -1.0 if math.isnan(guesses[c]) else guesses[c])
        caption = f"class {most} is {pc(guesses[most])} of the predictions and {pc(labels[most])} of the labels{some}"
        key.append(("bar-key k1", "predictions"))
    else:
        caption = f"the predictions were not recorded by class{some}"
    return Drawn(plot.done("Classes predicted and classes there"), caption, tuple(key))


def _shares(history: History) -> tuple[str, list[float], list[float]]:
    """(split, share of the labels by class, share of the predictions by class: NaN where it is not known)."""
    for split in (*HELD_OUT, "train"):
        told = [m.matrix for _, m in history.measured(split) if m.matrix]
        if told and _square(told[-1]):
            matrix = told[-1]
            columns = zip(*matrix, strict=True)
            return split, shares([sum(row) for row in matrix]), shares([sum(column) for column in columns])
    facts = history.data.get("train")
    labels = shares([max(n, 0) for n in facts.class_counts or ()]) if facts is not None else []
    guesses = [math.nan] * len(labels)
    last = next((look.outputs for look in reversed(history.looks) if look.outputs), None)
    top = last.top_class if last is not None else None
    if last is not None and top is not None and 0 <= top < len(guesses):
        guesses[top] = finite(last.top_share)
    return "train", labels, guesses


def _square(matrix: Sequence[Sequence[int]]) -> bool:
    return all(len(row) == len(matrix) and min(row, default=0) >= 0 for row in matrix)
