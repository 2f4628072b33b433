"""Records into a history of bounded size: what is too much is thinned out evenly, and said so."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

from ..history import History
from ..records import Epoch, Event, Look, Losses, Record
from .notes import Notes

T = TypeVar("T", Look, Epoch, Event)
STEPS, LOOKS, EVENTS, EPOCHS, CELLS = 1 << 20, 1 << 11, 1 << 12, 1 << 14, 1 << 22
"""How many losses, looks, events, epochs, and cells of their confusion matrices are kept at most."""
_UNTOLD = float("nan")
"""In the place of a step that was not told of: this very object, whereas a loss that is NaN is another."""
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
        if not values:
            return
        while (first - 1 + len(values) - 1) // self.stride >= self.most:
            self.widen(2 * self.stride)
        held, start = self.values, (first - 1) // self.stride
        held.extend([_UNTOLD] * (start - len(held)))
        if self.stride == 1:
            held[start : start + len(values)] = values
            return
        for step, value in enumerate(values, first - 1):
            i = step // self.stride
            if i == len(held):
                held.append(value)
            elif held[i] is _UNTOLD or step % self.stride == 0 or not math.isfinite(value):
                held[i] = value

    def widen(self, stride: int) -> None:
        """Make the stride a multiple of what it was."""
        held, many = self.values, stride // self.stride
        self.values = [_one(held[i : i + many]) for i in range(0, len(held), many)] if many > 1 else held
        self.stride = stride


def _one(values: list[float]) -> float:
    """The first that is told to be infinite or NaN, or else the first that is told."""
    told = [value for value in values if value is not _UNTOLD]
    return next((value for value in told if not math.isfinite(value)), told[0] if told else _UNTOLD)


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


def _cells(epoch: Epoch) -> int:
    return sum(len(measured.matrix) ** 2 for measured in epoch.splits.values() if measured.matrix)


class Gatherer:
    """Takes records as they were written and keeps a history that fits into memory, whatever the file's size."""

    def __init__(self, history: History, notes: Notes) -> None:
        self.history, self.notes = history, notes
        self.losses, self.lrs = Series(), Series()
        self.gap = 1  # steps from one place in them to the next
        self.looks: Kept[Look] = Kept(LOOKS)
        self.events: Kept[Event] = Kept(EVENTS)
        self.epochs: Kept[Epoch] = Kept(EPOCHS)
        self.cells = 0

    def add(self, record: Record) -> None:
        """Take a record in."""
        if isinstance(record, Losses):
            if 1 <= record.first < LAST_STEP:
                self.losses.put(record.first, record.values)
                if record.lr:
                    self.lrs.put(record.first, record.lr)
            else:
                self.notes("left out, there is no such step")
        elif isinstance(record, Look):
            self._again(self.looks.items, record.step, "step")
            self.looks.put(record)
        elif isinstance(record, Event):
            self.events.put(record)
        elif isinstance(record, Epoch):
            self._again(self.epochs.items, record.epoch, "epoch")
            self.epochs.put(record)
            self.cells += _cells(record)
            if self.cells > CELLS:
                self._drop_matrices()
        else:
            self.history.add(record)

    def close(self) -> History:
        """The history, with the notes."""
        history, stride = self.history, max(self.losses.stride, self.lrs.stride)
        self.losses.widen(stride)
        self.lrs.widen(stride)
        history.losses, history.lrs, history.stride = self.losses.values, self.lrs.values, stride * self.gap
        history.looks, history.events, history.epochs = self.looks.items, self.events.items, self.epochs.items
        self.notes.where = ""
        if stride > 1:
            self.notes(f"of the losses of so many steps, one of every {stride} is kept")
        kinds: dict[str, Kept[Any]] = {"looks": self.looks, "events": self.events, "epochs": self.epochs}
        for name, kept in kinds.items():
            if kept.seen > len(kept.items):
                self.notes(f"of {kept.seen:,} {name}, {len(kept.items):,} are kept, the first and last in full")
        history.notes += self.notes.texts()
        return history

    def _drop_matrices(self) -> None:
        """Of all epochs but the first and the last ones."""
        self.notes("the confusion matrices are too large to be kept for all epochs")
        items = self.epochs.items
        for i, epoch in enumerate(items[1:-2], 1):
            if _cells(epoch):
                bare = {split: replace(measured, matrix=None) for split, measured in epoch.splits.items()}
                items[i] = replace(epoch, splits=bare)
        self.cells = sum(map(_cells, items))

    def _again(self, items: list[T], number: int, what: str) -> None:
        """A run that was taken up again at an earlier place tells anew what came after it."""
        while items and getattr(items[-1], what) >= number:
            items.pop()
