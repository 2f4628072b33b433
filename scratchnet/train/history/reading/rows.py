"""A row: some figures that stand together in a foreign file, in a line or under one epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..codec import Misfit, number
from .names import meaning
from .notes import Notes

DEPTH = 3
"""How deep a row's objects are looked into: {"val": {"metrics": {"loss": ...}}}."""


@dataclass(frozen=True)
class Value:
    """A number as it was told. `digits`: those behind the point, None where it is not rounded. part/whole: "12/496"."""

    value: float
    digits: int | None = None
    percent: bool = False
    part: int | None = None
    whole: int | None = None


@dataclass
class Row:
    """Figures by (split, metric); a split of None was not named."""

    epoch: float | None = None
    epochs: int | None = None
    step: int | None = None
    figures: dict[tuple[str | None, str], Value] = field(default_factory=dict)
    gradients: dict[str, float] = field(default_factory=dict)


def value_of(told: Any) -> Value:
    """A number of a JSON file, also as text: 0.5, "nan", "97.1%". Raises codec.Misfit."""
    percent = isinstance(told, str) and told.strip().endswith("%")
    if isinstance(told, str):
        text = told.strip().rstrip("%").strip()
        try:
            return Value(float(text), digits_of(text), percent)
        except ValueError as error:
            raise Misfit("a number", told) from error
    return Value(number(told), digits_of(repr(told)), percent)


def digits_of(text: str) -> int | None:
    """Digits behind the point: 2 of "0.41", 0 of "41". None of more than 9, which nobody rounds to, or of "1e-3"."""
    ahead, _, behind = text.partition(".")
    return len(behind) if (ahead + behind).lstrip("+-").isdigit() and len(behind) <= 9 else None


def row_of(told: Mapping[str, Any], notes: Notes) -> Row:
    """The row that an object tells: {"epoch": 1, "loss": 0.5, "val": {"acc": 0.75}}. Whatever else is left out."""
    row = Row()
    for name, item in flat(told):
        split, metric = meaning(name)
        if metric is None or item is None:
            if isinstance(item, int | float) and not isinstance(item, bool):
                notes(f"{name!r} is not known, and left out")
            continue
        try:
            value = value_of(item)
        except Misfit as misfit:
            notes(f"{name}: {misfit}")
            continue
        enter(row, split, metric, value)
    return row


def enter(row: Row, split: str | None, metric: str, value: Value) -> None:
    """Put a figure where it belongs."""
    if metric not in ("epoch", "step"):
        row.figures.setdefault((split, metric), value)
    elif math.isfinite(value.value):
        if metric == "epoch" and row.epoch is None:
            row.epoch, row.epochs = value.value, value.whole
        elif metric == "step" and row.step is None:
            row.step = int(value.value)


def flat(told: Mapping[str, Any], before: str = "", depth: int = DEPTH) -> Iterator[tuple[str, Any]]:
    """Names and values, those of objects within it as "outer_inner"."""
    for name, item in told.items():
        if isinstance(item, dict) and depth > 1 and not all(str(key).isdigit() for key in item):
            yield from flat(item, f"{before}{name}_", depth - 1)
        else:
            yield before + name, item
