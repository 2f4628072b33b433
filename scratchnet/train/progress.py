"""The live line under a run: how far, loss, accuracy, images a second, time to go."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn

from scratchnet_kernels.machine import when_compiling

from .formats import percent
from .metrics import Counts

PERIOD = 0.1  # seconds between two looks at the numbers


class LiveLine:
    """A bar over all batches of a run. It is drawn only on a terminal, in as many parts as its width has room for."""

    def __init__(self, console: Console, epochs: int, batches: int, *, quiet: bool, notice: Callable[[], None]) -> None:
        self.epochs, self.batches, self.done = epochs, batches, 0
        self.on = console.is_interactive and console.file.isatty() and not quiet
        self.bar = Progress(*_columns(console.width), console=console, transient=True, expand=True, disable=not self.on)
        self.task = self.bar.add_task("", total=epochs * batches, loss="", accuracy="", speed="")
        self.epoch, self.due = 1, 0.0
        self.notice, self.closing = notice, ExitStack()

    def __enter__(self) -> LiveLine:
        with ExitStack() as opened:
            opened.enter_context(self.bar)
            if "numba" in sys.modules:  # the network runs on a backend that compiles
                opened.enter_context(when_compiling(self.notice))
            self.closing = opened.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.closing.close()

    def show(self, epoch: int, counts: Counts, seconds: float) -> None:
        """One more batch of `epoch` is done; `counts` and `seconds` are the epoch's so far."""
        self.done += 1
        self.epoch = epoch
        now = time.monotonic()
        if not self.on or now < self.due:
            return
        self.due = now + PERIOD
        self.bar.update(
            self.task,
            completed=self.done,
            description=f"{epoch}/{self.epochs}",
            loss=f"loss {counts.loss:.4f}",
            accuracy=percent(counts.accuracy, 1),
            speed=f"{counts.total / max(seconds, 1e-9):,.0f} img/s",
        )

    def say(self, what: str) -> None:
        """What goes on between two epochs."""
        if self.on:
            self.bar.update(self.task, completed=self.done, description=f"{self.epoch}/{self.epochs} {what}")


def _columns(width: int) -> list[ProgressColumn]:
    """The parts that fit, the least needed left out first."""
    columns: list[ProgressColumn] = [TextColumn("{task.description}"), BarColumn(bar_width=None)]
    if width >= 40:
        columns.append(TextColumn("{task.fields[loss]}"))
    columns.append(TextColumn("{task.fields[accuracy]}"))
    if width >= 66:
        columns.append(TextColumn("{task.fields[speed]}"))
    if width >= 52:
        columns += [TextColumn("ETA"), TimeRemainingColumn(compact=True)]
    return columns
