"""A history as one JSON document: lists under names, a list of epochs, or one of these somewhere inside."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..codec import Misfit
from ..records import End, Losses
from .collect import Collector
from .lines import parse
from .names import meaning
from .notes import Notes
from .rows import Row, Value, enter, flat, row_of, value_of

BROKEN = "the file breaks off; it is read up to there"
PER_STEP = 10
"""A list of losses so many times longer than the others is one of steps."""
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},"]', re.DOTALL)


def take_document(document: Any, collector: Collector) -> None:
    """Hand over what a document tells."""
    if isinstance(document, list):
        for item in document:
            if isinstance(item, dict):
                collector.add(row_of(item, collector.notes))
            else:
                collector.notes(f"left out, it is no epoch: {str(item)[:40]}")
        return
    if not isinstance(document, dict):
        return
    collector.config |= {name: item for name, item in document.items() if not isinstance(item, list | dict)}
    collector.config |= document["config"] if isinstance(document.get("config"), dict) else {}
    _end(document, collector)
    series = {name: items for name, item in flat(document) if (items := _list(item)) is not None}
    epochs = document if _epochs(document) else next((item for item in document.values() if _epochs(item)), None)
    if epochs is not None:
        take_document(_in_order(epochs), collector)
    _take_series(series, collector)
    if not series and epochs is None:
        collector.add(row_of(document, collector.notes))


class _Series(NamedTuple):
    """A list of figures under a name."""

    name: str
    split: str | None
    metric: str
    items: list[Any]


def _take_series(lists: Mapping[str, list[Any]], collector: Collector) -> None:
    told = []
    for name, items in lists.items():
        split, metric = meaning(name)
        metric = "epoch" if metric == "epochs" else metric
        if metric in ("loss", "accuracy", "top5", "correct", "lr", "seconds", "epoch"):
            told.append(_Series(name, split, metric, items))
        elif items and all(isinstance(item, int | float) for item in items):
            collector.notes(f"{name!r} is not known, and left out")
    others = [one for one in told if one.metric != "loss" or one.split not in (None, "train")]
    epochs = max((len(one.items) for one in others), default=0)
    for one in [one for one in told if one not in others and len(one.items) >= PER_STEP * epochs > 0]:
        collector.notes(f"{one.name!r} is longer than the others, and taken for the losses of steps")
        values = [_value(item, one.name, collector.notes) for item in one.items]
        collector.gatherer.add(Losses(first=1, values=tuple(math.nan if v is None else v.value for v in values)))
        told.remove(one)
    many = max((len(one.items) for one in told), default=0)
    for one in told:
        if len(one.items) < many:
            collector.notes(f"{one.name!r} has {len(one.items)} values, not {many}: taken for the first epochs")
    numbered = any(one.metric == "epoch" for one in told)
    for i in range(many):
        row = Row() if numbered else Row(epoch=i + 1.0)
        for one in told:
            value = _value(one.items[i], one.name, collector.notes) if i < len(one.items) else None
            if value is not None:
                enter(row, one.split, one.metric, value)
        collector.add(row)


def _value(item: Any, name: str, notes: Notes) -> Value | None:
    """The number; None where it is missing or none."""
    try:
        return None if item is None else value_of(item)
    except Misfit as misfit:
        notes(f"{name}: {misfit}")
        return None


def _list(item: Any) -> list[Any] | None:
    """A list of figures, also as {"0": 2.3, "1": 1.9}; None for anything else."""
    if isinstance(item, dict) and item and all(str(key).isdigit() for key in item):
        item = [item[key] for key in sorted(item, key=int)]
    if isinstance(item, list) and not any(isinstance(i, list | dict) for i in item):
        return item
    return None


def _epochs(item: Any) -> bool:
    """Whether these are epochs, each an object: a list of them, or an object by their numbers."""
    if isinstance(item, dict) and all(str(key).isdigit() for key in item):
        item = list(item.values())
    return isinstance(item, list) and bool(item) and all(isinstance(epoch, dict) for epoch in item)


def _in_order(epochs: Any) -> list[dict[str, Any]]:
    if isinstance(epochs, list):
        return epochs
    return [{"epoch": int(key), **epochs[key]} for key in sorted(epochs, key=int)]


def _end(document: Mapping[str, Any], collector: Collector) -> None:
    """How a run ended, as the examples' --json says it."""
    if document.get("interrupted") is True:
        collector.gatherer.history.end = End(how="interrupted")
    elif isinstance(document.get("stopped"), str):
        collector.gatherer.history.end = End(how="stopped", message=document["stopped"])


def mended(text: str) -> Any:
    """A document whose end is missing, cut behind its last whole value and closed; None if that makes no sense."""
    closers: list[str] = []
    cut: tuple[int, str] | None = None  # where to, and what closes it there
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in "[{":
            closers.append("]" if mark == "[" else "}")
        elif mark in "]}":
            if not closers or closers.pop() != mark:
                return None
            cut = token.end(), "".join(reversed(closers))
        elif mark == "," and closers:
            cut = token.start(), "".join(reversed(closers))
        elif mark == '"':  # a text that does not end
            break
    if not closers or cut is None:
        return None
    try:
        return parse(text[: cut[0]] + cut[1])
    except ValueError:
        return None
