"""Figures of a split as they were told, and what they come to: which split, percentages, roundings."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ..records import Measured
from .names import UNNAMED
from .notes import Notes
from .rows import Value

Figures = dict[tuple[str, str], Value]
"""By split and metric; a split of "" where it is of none."""
MANY = 10
"""Digits that nobody rounds to."""


def with_splits(figures: dict[tuple[str | None, str], Value], notes: Notes) -> Figures:
    """Every figure with its split: a loss that has none is one of training, and so is an accuracy beside it.

    Beside figures of validation, too. An accuracy that stands alone may be of anything.
    """
    named = {split for split, _ in figures} - {None}
    trained = (None, "loss") in figures or bool(named)
    found: Figures = {}
    for (split, metric), value in figures.items():
        if metric in ("loss", "accuracy", "top5", "correct", "total"):
            if split is None and metric != "loss" and not trained:
                notes("an accuracy that is not said to be of training, validation or test")
            found[split or ("train" if trained or metric == "loss" else UNNAMED), metric] = value
        else:
            found[(split or "") if metric == "samples" else "", metric] = value
    return found


def measured(told: Figures, split: str, percent: bool, digits: int | None) -> Measured:
    at = {metric: value for (s, metric), value in told.items() if s == split}
    loss, rate, top5 = at.get("loss"), at.get("accuracy"), at.get("top5")
    correct, total = (at[name].part or _whole(at[name]) if name in at else None for name in ("correct", "total"))
    accuracy = rounded = None
    if rate is not None:
        hundred = 100 if rate.percent or (percent and rate.whole is None) else 1
        accuracy = round(rate.value / hundred, 15)  # 36.58 / 100 is not quite 0.3658
        if rate.whole is not None:
            correct, total = rate.part, rate.whole
        elif digits is not None:
            rounded = 10.0**-digits / hundred
    whole = next((v.whole for v in at.values() if v.whole is not None), None)
    return Measured(
        loss=None if loss is None else loss.value,
        accuracy=accuracy,
        correct=correct,
        total=total if total is not None else whole,
        top5=top5.part if top5 is not None else None,
        rounded=rounded,
    )


def _whole(value: Value) -> int | None:
    return int(value.value) if value.value.is_integer() and value.value >= 0 else None


def scale(epochs: Iterable[Figures], notes: Notes) -> tuple[bool, dict[str, int]]:
    """Whether accuracies without a sign are percentages; how many digits those of a split are told with."""
    rates = [(s, v) for told in epochs for (s, m), v in told.items() if m == "accuracy" and v.whole is None]
    bare = [v.value for _, v in rates if not v.percent and math.isfinite(v.value)]
    digits: dict[str, int] = {}
    for split, value in rates:
        if value.value not in (0, 1):  # which need no rounding
            digits[split] = max(digits.get(split, 0), MANY if value.digits is None else value.digits)
    percent = 1 < max(bare, default=0.0) <= 100
    if percent:
        notes("accuracies above 1 are taken for percentages")
    return percent, {split: most for split, most in digits.items() if most < MANY}
