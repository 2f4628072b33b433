"""Rows of a foreign file into records: which epoch a figure is of, and whether 97.1 is a percentage."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from ..records import Epoch, Event, Look, Losses, ParameterLook, SplitFacts
from .figures import Figures, measured, scale, with_splits
from .gather import Gatherer
from .rows import Row, Value
from .steps import Steps

EPOCHS = 1 << 14
"""How many are kept at most."""
LOSSES = 1 << 9
"""After so many losses without a name, they are known to be of steps."""
SETTINGS = ("lr", "epochs", "batch_size", "momentum", "weight_decay", "classes")
MEASURED = ("loss", "accuracy", "top5", "correct")


@dataclass
class _Told:
    """An epoch, as far as it was told. `sure`: figures of a line that named the epoch."""

    figures: Figures = field(default_factory=dict)
    sure: set[tuple[str, str]] = field(default_factory=set)
    lr: float | None = None
    seconds: float | None = None


class Collector:
    """Takes rows in the order of the file.

    A row of a step tells a loss; one of an epoch tells what was measured; one of neither belongs to the epoch that
    was named last, or, where none is ever named, begins a new one as soon as a figure comes again.
    """

    def __init__(self, gatherer: Gatherer) -> None:
        self.gatherer, self.notes = gatherer, gatherer.notes
        self.told: dict[int, _Told] = {}
        self.current: int | None = None
        self.named = False  # whether any row names its epoch
        self.fractions = False  # whether any names half of one: then those of training are steps
        self.bare = False  # whether there is nothing but losses: then those are of steps
        self.config: dict[str, Any] = {}
        self.steps = Steps()
        self.left_out = 0

    def add(self, row: Row) -> None:
        """Take a row in."""
        if row.epochs and "epochs" not in self.config:
            self.config["epochs"] = row.epochs
        whole = row.epoch is not None and float(row.epoch).is_integer() and abs(row.epoch) < 1e9
        if whole:
            self.current, self.named = int(row.epoch or 0), True
        figures = with_splits(row.figures, self.notes)
        self.fractions |= row.epoch is not None and not whole
        loss, rest = figures.get(("train", "loss")), figures
        if loss is not None and (row.step is not None or self.bare or (self.fractions and row.epoch is not None)):
            self._step(row.step, loss, figures.get(("", "lr")))
            rest = {key: value for key, value in figures.items() if key[0] not in ("train", "")}
        self._facts(row, figures)
        if any(metric in MEASURED for _, metric in rest):
            self._epoch(rest, whole)
        elif not self.told and not self.gatherer.losses.values:
            self.config |= {m: _setting(v.value) for (_, m), v in figures.items() if m in SETTINGS}

    def close(self) -> None:
        """Hand over the epochs."""
        self._as_steps()
        shift = 1 if 0 in self.told and min(self.told) == 0 else 0
        if shift:
            self.notes("epochs are counted from 0 there, and from 1 here")
        percent, digits = scale([told.figures for told in self.told.values()], self.notes)
        for number, told in sorted(self.told.items()):
            splits = dict.fromkeys(split for split, metric in told.figures if metric in MEASURED)
            figures = {split: measured(told.figures, split, percent, digits.get(split)) for split in splits}
            self.gatherer.add(Epoch(epoch=number + shift, seconds=told.seconds, lr=told.lr, splits=figures))
        self.gatherer.gap = self.steps.gap
        if self.left_out:
            self.notes(f"{self.left_out} epochs between the first and the last are left out, there are too many")
        self.gatherer.history.config = self.config | self.gatherer.history.config

    def _step(self, step: int | None, loss: Value, lr: Value | None) -> None:
        at = self.steps.place(step)
        self.gatherer.add(Losses(first=at, values=(loss.value,), lr=(lr.value,) if lr else None))
        if not math.isfinite(loss.value):
            self.gatherer.add(Event(step=self.steps.step, what="nonfinite", where="loss", value=loss.value))

    def _facts(self, row: Row, figures: Figures) -> None:
        """Sizes of splits, gradient norms."""
        for (split, metric), value in figures.items():
            if metric == "samples" and split and value.value.is_integer():
                self.gatherer.add(SplitFacts(split=split, samples=int(value.value)))
        norm = figures.get(("", "gradient"))
        if norm is not None and not math.isfinite(norm.value):
            step = row.step or self.steps.step or 1
            self.gatherer.add(Event(step=step, what="nonfinite", where="gradient", value=norm.value))
        if not row.gradients:
            return
        looks = self.gatherer.looks.items
        step = max(row.step or 1, looks[-1].step + 1 if looks else 1)
        parameters = {name: ParameterLook(gradient=norm) for name, norm in row.gradients.items()}
        self.gatherer.add(Look(step=step, epoch=self.current, parameters=parameters))
        if row.step is None:
            self.notes("gradient norms of which the step is not told: they are numbered")

    def _epoch(self, figures: Figures, whole: bool) -> None:
        if self.current is None or (not self.named and figures.keys() & self.told[self.current].figures.keys()):
            self.current = 1 if self.current is None else self.current + 1
        told = self.told.setdefault(self.current, _Told())
        for key, value in figures.items():
            if key == ("", "lr"):
                told.lr = value.value
            elif key == ("", "seconds"):
                told.seconds = value.value
            elif whole or key not in told.sure:  # what comes after the last epoch tells of something else
                told.figures[key] = value
                if whole:
                    told.sure.add(key)
        if len(self.told) == LOSSES:
            self._as_steps()
        if len(self.told) > EPOCHS:
            self._thin()

    def _thin(self) -> None:
        numbers = list(self.told)
        for number in numbers[EPOCHS // 4 : -EPOCHS // 4 : 2]:
            del self.told[number]
            self.left_out += 1

    def _as_steps(self) -> None:
        """Nothing but one loss again and again, under no epoch: those are of steps."""
        losses = [told.figures.get(("train", "loss")) for told in self.told.values() if len(told.figures) == 1]
        if not self.named and 1 < len(self.told) == sum(loss is not None for loss in losses):
            self.told, self.current, self.bare = {}, None, True
            for loss in losses:
                if loss is not None:
                    self._step(None, loss, None)


def _setting(value: float) -> float | int:
    return int(value) if value.is_integer() and abs(value) < 1e15 else value
