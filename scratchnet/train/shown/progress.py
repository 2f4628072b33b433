"""The live line under a run: how far, loss, accuracy, images a second, time to go; and what is being compiled."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import ExitStack
from types import TracebackType

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from scratchnet_kernels.compilation import Compilation, watching

from ..metrics import Counts
from .formats import percent

PERIOD = 0.1  # seconds between two looks at the numbers


def on_terminal(console: Console) -> bool:
    """Whether a line that changes and vanishes can be drawn there."""
    return console.is_interactive and console.file.isatty()


class CompilingBar(Progress):
    """A bar with a line above it, while kernels are being compiled, that says which, how many and for how long."""

    def __init__(self, *columns: ProgressColumn, console: Console, disable: bool = False) -> None:
        self.compiling: Compilation | None = None
        super().__init__(*columns, console=console, transient=True, expand=True, disable=disable)

    def get_renderables(self) -> Iterable[RenderableType]:
        """The line, if there is one, and the bar."""
        c = self.compiling
        if c is not None and c.going_on:
            text = f"compiling kernels for this machine: {c.name} ({c.count} so far, {c.seconds:.1f} s); {c.fate}"
            yield Text(text, "dim", no_wrap=True, overflow="ellipsis")
        yield from super().get_renderables()

    def compiles(self, compilation: Compilation) -> None:
        """A kernel begins to be compiled."""
        self.compiling = compilation
        self.refresh()


class LiveLine:
    """A bar over all batches of a run. It is drawn only on a terminal, in as many parts as its width has room for.

    Here, and in the `scratchnet` command, is where it is said what is compiled; the engine itself prints nothing.
    """

    def __init__(self, console: Console, epochs: int, batches: int, *, quiet: bool) -> None:
        self.epochs, self.batches, self.done = epochs, batches, 0
        self.on = on_terminal(console) and not quiet
        self.bar = CompilingBar(*_columns(console.width), console=console, disable=not self.on)
        self.task = self.bar.add_task("", total=epochs * batches, loss="", accuracy="", speed="")
        self.epoch, self.due = 1, 0.0
        self.compiled, self.closing = Compilation(), ExitStack()

    def __enter__(self) -> LiveLine:
        with ExitStack() as opened:
            opened.enter_context(self.bar)
            self.compiled = opened.enter_context(watching(self.bar.compiles if self.on else None))
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
