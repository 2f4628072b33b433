"""A run's records, gathered: what monitors saw and what a file gave back. The doctor reads nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .records import End, Epoch, Event, Look, Losses, Measured, Record, SplitFacts


@dataclass
class History:
    """Everything that is known of a run, in the order in which it happened.

    Attributes:
        config: settings, free in form; "layers", "loss", "optimizer", "parameters" where scratchnet wrote it.
        data: the splits by name.
        losses: the loop's losses of the steps from 1 on (NaN where one is missing); lrs: the learning rates, likewise.
        stride: above 1 where a file tells only of every so many steps, or of too many to hold: losses[i] and lrs[i]
            are of step 1 + i · stride, or of one of the steps up to the next.
        looks, epochs, events: in order.
        end: None for a run that broke off.
        source: where it was read from.
        notes: what could not be read, in words.
    """

    config: dict[str, Any] = field(default_factory=dict)
    data: dict[str, SplitFacts] = field(default_factory=dict)
    losses: list[float] = field(default_factory=list)
    lrs: list[float] = field(default_factory=list)
    stride: int = 1
    looks: list[Look] = field(default_factory=list)
    epochs: list[Epoch] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    end: End | None = None
    source: str = ""
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, records: Iterable[Record], config: dict[str, Any] | None = None) -> History:
        """The history that these records tell."""
        history = cls(config=dict(config or {}))
        for record in records:
            history.add(record)
        return history

    def add(self, record: Record) -> None:
        """Take a record in. A later one of the same split, and a later end, replace the earlier."""
        if isinstance(record, SplitFacts):
            self.data[record.split] = record
        elif isinstance(record, Look):
            self.looks.append(record)
        elif isinstance(record, Losses):
            place(self.losses, record.first, record.values)
            if record.lr:
                place(self.lrs, record.first, record.lr)
        elif isinstance(record, Epoch):
            self.epochs.append(record)
        elif isinstance(record, Event):
            self.events.append(record)
        else:
            self.end = record

    def measured(self, split: str) -> list[tuple[int, Measured]]:
        """(epoch, what was measured) of a split, for the epochs in which it was."""
        return [(epoch.epoch, epoch.splits[split]) for epoch in self.epochs if split in epoch.splits]


def place(series: list[float], first: int, values: tuple[float, ...]) -> None:
    """Put values of the steps from `first` on into a series that begins with step 1."""
    series.extend([float("nan")] * (first - 1 - len(series)))
    series[first - 1 : first - 1 + len(values)] = values
