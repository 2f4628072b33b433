"""Records into a history of bounded size: what is too much is thinned out evenly, and said so."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Generic, TypeVar

from ..history import History
from ..records import Epoch, Event, Look, Losses, Record
from .notes import Notes

T = TypeVar("T", Look, Epoch, Event)
STEPS, LOOKS, EVENTS = 1 << 20, 1 << 11, 1 << 12
"""How many losses, looks, events are kept at most."""
LAST_STEP = 1 << 40
"""A step beyond is no step but a broken number."""


class Series:
    """Numbers of the steps from 1 on: values[i] is of step 1 + i · stride, NaN where none was told.

    Where there are too many, two become one: the first that is told, unless the second is told to be infinite or NaN.
    """

    def __init__(self, most: int = STEPS) -> None:
        self.values: list[float] = []
        self.stride, self.most = 1, most

    def put(self, first: int, values: Sequence[float]) -> None:
        """The values of the steps from `first` on."""
        while (first - 1 + len(values) - 1) // self.stride >= self.most:
            self.widen(2 * self.stride)
        held, start = self.values, (first - 1) // self.stride
        held.extend([math.nan] * (start - len(held)))
        if self.stride == 1:
            held[start : start + len(values)] = values
            return
        for step, value in enumerate(values, first - 1):
            i = step // self.stride
            if i == len(held):
                held.append(value)
            elif step % self.stride == 0 or not math.isfinite(value):
                held[i] = value

    def widen(self, stride: int) -> None:
        """Make the stride a multiple of what it was."""
        held, many = self.values, stride // self.stride
        self.values = [_one(held[i : i + many]) for i in range(0, len(held), many)] if many > 1 else held
        self.stride = stride


def _one(values: list[float]) -> float:
    """An infinite one, or else the first that is a number."""
    told = [v for v in values if v == v]
    return next((v for v in told if math.isinf(v)), told[0] if told else math.nan)


class Kept(Generic[T]):
    """The first and the last of many, and fewer of those between."""

    def __init__(self, most: int) -> None:
        self.items: list[T] = []
        self.most, self.seen = most, 0

    def put(self, item: T) -> None:
        """Take one in; thin out where there are too many."""
        self.items.append(item)
        self.seen += 1
        if len(self.items) > self.most:
            ends = self.most // 4
            self.items[ends:-ends] = self.items[ends:-ends:2]


class Gatherer:
    """Takes records as they were written and keeps a history that fits into memory, whatever the file's size."""

    def __init__(self, history: History, notes: Notes) -> None:
        self.history, self.notes = history, notes
        self.losses, self.lrs = Series(), Series()
        self.looks: Kept[Look] = Kept(LOOKS)
        self.events: Kept[Event] = Kept(EVENTS)

    def add(self, record: Record) -> None:
        """Take a record in."""
        if isinstance(record, Losses):
            if 1 <= record.first < LAST_STEP:
                self.losses.put(record.first, record.values)
                self.lrs.put(record.first, record.lr or ())
            else:
                self.notes("left out, there is no such step")
        elif isinstance(record, Look):
            self._again(self.looks.items, record.step, "step")
            self.looks.put(record)
        elif isinstance(record, Event):
            self.events.put(record)
        else:
            if isinstance(record, Epoch):
                self._again(self.history.epochs, record.epoch, "epoch")
            self.history.add(record)

    def close(self) -> History:
        """The history, with the notes."""
        history, stride = self.history, max(self.losses.stride, self.lrs.stride)
        self.losses.widen(stride)
        self.lrs.widen(stride)
        history.losses, history.lrs, history.stride = self.losses.values, self.lrs.values, stride
        history.looks, history.events = self.looks.items, self.events.items
        self.notes.where = ""
        if stride > 1:
            self.notes(f"of the losses of so many steps, one of every {stride} is kept")
        for kept, name in ((self.looks, "looks"), (self.events, "events")):
            if kept.seen > len(kept.items):
                self.notes(f"of {kept.seen:,} {name}, {len(kept.items):,} are kept, the first and last in full")
        history.notes += self.notes.texts()
        return history

    def _again(self, items: list[T], number: int, what: str) -> None:
        """A run that was taken up again at an earlier place tells anew what came after it."""
        while items and getattr(items[-1], what) >= number:
            items.pop()
