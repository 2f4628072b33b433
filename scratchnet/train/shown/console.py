"""How a run is shown: settings, data, epochs, classes and samples, at any width, on a terminal or in a file."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from io import TextIOWrapper
from typing import IO, Any

import numpy as np
from rich.columns import Columns
from rich.console import Console, Group
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from scratchnet.data import Dataset
from scratchnet_kernels.compilation import Compilation

from ..metrics import Counts
from . import pictures
from .formats import number, percent
from .progress import LiveLine

OUTLIER = 3.0  # standard errors
NARROW = 48  # columns below which a table gives way to plain lines
Array = np.ndarray[Any, Any]


class Report:
    """Writes a run to standard output. With quiet, only what `result` is given."""

    def __init__(self, *, quiet: bool = False, file: IO[str] | None = None) -> None:
        out = file or sys.stdout
        if isinstance(out, TextIOWrapper):
            out.reconfigure(errors="replace")  # a name that the terminal cannot show must not end a run
        self.console = Console(file=out, highlight=False, markup=False, emoji=False)
        self.quiet = quiet
        self._live: LiveLine | None = None

    def line(self, text: str, style: str = "") -> None:
        """A line of text; breaks at spaces."""
        if not self.quiet:
            self.console.print(Text(text, style, overflow="fold"))

    def result(self, text: str) -> None:
        """A line that is written even when quiet."""
        self.console.print(Text(text, "bold", overflow="fold"))

    def facts(self, title: str, facts: Mapping[str, object]) -> None:
        """Names and values, one pair a line; what is None or False is left out."""
        if self.quiet:
            return
        self.console.print(Text(title, "bold"))
        shown = {name: value for name, value in facts.items() if value is not None and value is not False}
        if self.console.width < NARROW:
            for name, value in shown.items():
                self._indented(f"{name}: {value}")
            return
        table = Table.grid(padding=(0, 2), pad_edge=True)
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in shown.items():
            table.add_row(name, Text(str(value)))
        self.console.print(table)

    def data(self, data: Dataset) -> None:
        """Where the data comes from, what a sample is, and how the classes are distributed."""
        splits = {split.name: split for split in data.splits}
        x = data.train.x
        facts: dict[str, object] = {"name": data.name, "source": data.source}
        facts["sizes"] = ", ".join(f"{name} {len(split):,}" for name, split in splits.items())
        facts["a sample"] = f"{' x '.join(map(str, data.input_shape))} {x.dtype}, {x.min()} to {x.max()}"
        facts["train mean"] = f"{x.mean(dtype=np.float64):.4g}"
        self.facts("Data", facts)
        if self.quiet:
            if data.note:
                print(f"note: {data.note}", file=sys.stderr)
            return
        if data.note:
            self.line(f"Note: {data.note}", "bold yellow")
        sizes = {name: np.bincount(split.y, minlength=data.classes) for name, split in splits.items()}
        wide = self.console.width >= NARROW
        table = self._table("class", *(sizes if wide else ["train"]), "share")
        largest = int(sizes["train"].max())
        for c, name in enumerate(data.class_names):
            counts = [f"{sizes[split][c]:,}" for split in (sizes if wide else ["train"])]
            share = sizes["train"][c] / len(data.train)
            size = int(sizes["train"][c])
            bar = ProgressBar(largest, size, width=20, complete_style="cyan", finished_style="cyan")
            table.add_row(name, *counts, percent(share, 1), *([bar] if wide else []))
        self.console.print(table)

    def live(self, epochs: int, batches: int) -> LiveLine:
        """The progress bar of a run; a context."""
        self.line("Training", "bold")
        self._indented("loss, train: over an epoch's batches, as the weights move; val, test: after it", "dim")
        self._live = LiveLine(self.console, epochs, batches, quiet=self.quiet)
        return self._live

    @property
    def compiled(self) -> Compilation:
        """What was compiled within the run."""
        return Compilation() if self._live is None else self._live.compiled

    def epoch(self, epoch: int, epochs: int, measured: Mapping[str, Counts | None], norms: Mapping[str, float]) -> None:
        """One epoch's metrics, and the gradient norms of its last batch. A pair is never broken over two lines.

        `measured` holds the counts of "train" (with the loss), "val" and "test".
        """
        if self.quiet:
            return
        pairs = [Text(f"epoch {epoch}/{epochs}", "bold")]
        for name, counts in measured.items():
            if counts is not None and counts.loss_total:
                pairs.append(Text(f"loss {counts.loss:.4f}"))
            if counts is not None:
                pairs.append(Text(f"{name} {percent(counts.accuracy)}"))
        self.console.print(Columns(pairs, padding=(0, 2)))
        self.norms("last batch", norms)

    def norms(self, when: str, norms: Mapping[str, float]) -> None:
        """Gradient norms as L1_W=... L1_b=..."""
        pairs = " ".join(f"{name}={number(value)}" for name, value in norms.items())
        if not self.quiet:
            self.console.print(
                Padding(Text(f"gradients, {when}: {pairs}", "dim", overflow="fold"), (0, 0, 0, 2), expand=False)
            )

    def classes(self, counts: Counts, names: Sequence[str]) -> None:
        """Accuracy by class on the test set; classes that differ from the others beyond chance are marked."""
        if self.quiet:
            return
        self.console.print(Text("\nTest accuracy by class", "bold"))
        wide = self.console.width >= NARROW
        table = self._table("class", *(("right", "of") if wide else ()), "rate", *(("answers",) if wide else ()), "")
        marked = False
        rows = zip(names, counts.per_class, counts.deviations(), counts.predicted, strict=True)
        for c, (name, rate, z, answers) in enumerate(rows):
            out = z is not None and abs(z) > OUTLIER
            marked |= out
            mark = ("low" if z is not None and z < 0 else "high") if out else ""
            of = [f"{counts.matrix[c, c]:,}", f"{counts.matrix[c].sum():,}"] if wide else []
            style = ("red" if mark == "low" else "green") if out else ""
            answer = [f"{answers:,}"] if wide else []
            table.add_row(name, *of, percent(rate), *answer, Text(mark, style))
        self.console.print(table)
        if marked:
            self.line(f"low, high: more than {OUTLIER:g} standard errors away from the other classes together", "dim")
        most = int(np.argmax(counts.predicted))
        if 2 * counts.predicted[most] > counts.total and len(names) > 2:
            share = percent(counts.predicted[most] / counts.total, 1)
            self.line(f"{share} of all answers are {names[most]!r}: the network tells little apart", "bold yellow")

    def samples(self, images: Array, labels: Array, logits: Array, names: Sequence[str]) -> None:
        """The first three pictures, and the three mistakes of which the network is surest.

        images (N, H, W), labels (N,), logits (N, C).
        """
        if self.quiet or images.ndim != 3:
            return
        scores = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
        scores /= scores.sum(1, keepdims=True)  # softmax
        taken, sure = logits.argmax(1), scores.max(1)
        wrong = np.flatnonzero(taken != labels)
        for title, chosen in (
            ("The first test pictures", np.arange(min(3, len(images)))),
            ("The surest mistakes", wrong[np.argsort(-sure[wrong], kind="stable")[:3]]),
        ):
            if not chosen.size:
                continue
            self.console.print(Text(f"\n{title}", "bold"))
            drawn = pictures.prepare(images[chosen], self.console.width)
            cells, width = [], drawn.shape[2]
            for i, shades in zip(chosen, drawn, strict=True):
                answer = f"answer {names[taken[i]]}, {percent(float(sure[i]), 1)}"
                width = max(width, len(answer))
                verdict = Text(answer, "green" if taken[i] == labels[i] else "red")
                truth = Text(f"true {names[labels[i]]}")
                cells.append(Group(pictures.draw(shades, self.console), truth, verdict))
            if width + pictures.GAP > self.console.width:  # no room for a row
                self.console.print(*cells, sep="\n")
            else:
                self.console.print(Columns(cells, width=width, padding=(0, pictures.GAP)))

    def _indented(self, text: str, style: str = "") -> None:
        if not self.quiet:
            self.console.print(Padding(Text(text, style, overflow="fold"), (0, 0, 0, 2), expand=False))

    def _table(self, *heads: str) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="dim")
        for i, head in enumerate(heads):
            table.add_column(head, justify="left" if i == 0 or not head else "right", no_wrap=i > 0, overflow="fold")
        return table
