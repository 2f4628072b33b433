"""What a run came to, in a few figures: what summary.json holds."""

from __future__ import annotations

import math
from typing import Any

from .records import End, Epoch, Event, Look, Losses, Measured, Record


class RunSummary:
    """Takes a run's records one by one and keeps the last and the best figures of every split."""

    def __init__(self) -> None:
        self.end: End | None = None
        self.epochs = self.looks = self.steps = 0
        self.events: dict[str, int] = {}
        self.last: dict[str, tuple[int, Measured]] = {}
        self.best: dict[str, tuple[int, Measured]] = {}

    def add(self, record: Record) -> None:
        """Count a record in."""
        if isinstance(record, Look):
            self.looks += 1
            self.steps = max(self.steps, record.step)
        elif isinstance(record, Losses):
            self.steps = max(self.steps, record.first + len(record.values) - 1)
        elif isinstance(record, Event):
            self.events[record.what] = self.events.get(record.what, 0) + 1
        elif isinstance(record, Epoch):
            self.epochs = record.epoch
            for split, measured in record.splits.items():
                self.last[split] = record.epoch, measured
                if split not in self.best or _rank(measured) > _rank(self.best[split][1]):
                    self.best[split] = record.epoch, measured
        elif isinstance(record, End):
            self.end = record

    def figures(self) -> dict[str, Any]:
        """{"how": "finished", "epochs": 15, "splits": {"val": {"last": {"epoch": 15, "loss": ..., ...}, "best": ...}}}.

        The best epoch is the first one of the highest accuracy, or of the lowest loss where no accuracy was measured.
        """
        end = self.end
        return {
            "how": end and end.how,
            "message": end and end.message,
            "epochs": self.epochs,
            "steps": (end and end.steps) or self.steps,
            "looks": self.looks,
            "events": self.events,
            "fired": end.fired if end else {},
            "splits": {
                split: {"last": _figures(*self.last[split]), "best": _figures(*self.best[split])} for split in self.last
            },
        }


def _rank(measured: Measured) -> tuple[float, float]:
    accuracy = -1.0 if measured.accuracy is None or math.isnan(measured.accuracy) else measured.accuracy
    loss = math.inf if measured.loss is None or math.isnan(measured.loss) else measured.loss
    return (accuracy, 0.0) if accuracy >= 0 else (accuracy, -loss)


def _figures(epoch: int, measured: Measured) -> dict[str, Any]:
    shown = {name: getattr(measured, name) for name in ("loss", "accuracy", "correct", "top5", "total")}
    return {"epoch": epoch} | {name: value for name, value in shown.items() if value is not None}
