"""A case: "it predicts 1 for everything". From symptom to cause to cure; every number is measured here and now.

    python examples/lr_scale_debugging.py                  MNIST if it can be had, else digits drawn on the spot
    python examples/lr_scale_debugging.py --html case.html --plots pictures --json figures.json

A network 784-128-10 learns 500 digits one by one, in the file's order, five times over, at a learning rate of 0.01, and
ends up naming one digit for everything. Its author saw gradients of norm 3,000, called the learning rate a thousand
times too high, lowered it, got 65 %, and held vanishing gradients and the few samples responsible for the rest. The
numbers on the screen said otherwise. Read `train` first: it is the whole loop. Then the chapters, which stand in
lr_scale_chapters.py in the order in which `story` tells them.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import click
import lr_scale_chapters as chapters

from scratchnet import SGD, Dense, Flatten, Network, ReLU
from scratchnet.data import Dataset, load
from scratchnet.train import Counts, CtrlC, History, Monitor, NonFiniteError, Recipe, Record, Report, session
from scratchnet.train.record import check_writable
from scratchnet.train.shown.tables import show_table

RATE = 0.01  # the author's


class Run(NamedTuple):
    """A network, what its monitor saw of its training, and its answers on the test images, epoch by epoch."""

    net: Network
    history: History
    tests: list[Counts]

    @property
    def accuracy(self) -> float | None:
        """On the test images in the end; None for a run that broke off."""
        return self.tests[-1].accuracy if self.history.end.how == "finished" else None


def train(recipe: Recipe, ctrl_c: CtrlC) -> Run:
    """The loop. A network that puts out NaN ends it, and the monitor writes that down."""
    net, loss, optimizer = recipe.network(), recipe.loss, recipe.optimizer
    batches, test_batches = recipe.batches(recipe.train), recipe.batches(recipe.test)
    monitor, tests = Monitor(net, loss, optimizer, every=recipe.every), []
    with suppress(NonFiniteError), monitor:
        monitor.data(train=batches, test=test_batches)
        for epoch in range(1, recipe.epochs + 1):
            train, test = Counts(net.output_shape[0]), Counts(net.output_shape[0])
            for x, y in ctrl_c.between(batches.epoch(epoch)):
                logits, tape = net.forward(x, training=True)
                value, dlogits = loss(logits, y, tape)
                net.zero_grad()
                net.backward(dlogits, tape)
                with monitor.step(x, y, logits, value):
                    optimizer.step(net)
                train.add(logits, y, float(value))

            for x, y in test_batches.epoch(0):
                test.add(net.predict(x), y)
            monitor.epoch(epoch, train=train, test=test)
            tests.append(test)
    return Run(net, monitor.history, tests)


@dataclass
class Case:
    """What all chapters share. `raw` is the author's run, at `rate`."""

    data: Dataset
    raw: Recipe
    rate: float
    ctrl_c: CtrlC
    report: Report
    record: Record

    def train(self, **changes: Any) -> Run:
        """The author's run, with something changed."""
        return train(replace(self.raw, **changes), self.ctrl_c)

    def chapter(self, title: str, text: str) -> None:
        """A heading, and what the chapter asks."""
        self.report.line(f"\n{title}", "bold underline")
        self.report.line(text, "dim")

    def table(self, *heads: str, rows: Any) -> None:
        """Rows of cells under their heads."""
        show_table(self.report, heads, rows)


def story(o: SimpleNamespace, report: Report, record: Record) -> None:
    """What is known goes into `record` at once, so that it is there whatever ends the story."""
    if o.html:
        check_writable(o.html)
    if o.plots:
        chapters.new_figure()
        Path(o.plots).mkdir(parents=True, exist_ok=True)
    data = load(o.data, o.data_dir, val=0, samples=o.samples, seed=o.seed)
    record.set(data=data.name, classes=data.class_names)
    layers = Flatten(), Dense(128), ReLU(), Dense(data.classes)
    raw = Recipe(layers=layers, train=data.train, test=data.test, optimizer=SGD(RATE), batch_size=1, epochs=o.passes,
                 scale=1.0, shuffle=False, seed=o.seed, backend=o.backend, every=10)  # fmt: skip
    with CtrlC() as ctrl_c:
        case = Case(data, raw, RATE, ctrl_c, report, record)
        broken = chapters.symptom(case)
        chapters.the_data(case, broken)
        cured = case.train(scale=1 / 255)
        chapters.gradients(case, broken, cured)
        chapters.dead_units(case, broken)
        fixed = case.train(optimizer=SGD(RATE / 1000))
        chapters.explanations(case, broken, fixed, cured)
        chapters.sweep(case, o.plots)
        chapters.fix_and_cure(case, o.plots, broken, fixed, cured)
        chapters.verdict(case, broken, o.html)


# fmt: off
option, choice, count = click.option, click.Choice, click.IntRange
@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@option("--data", type=choice(["auto", "mnist", "fashion", "kmnist", "drawn"]), default="auto", help="Data set.")
@option("--data-dir", type=click.Path(), help="Where its files are.  [default: SCRATCHNET_DATA, cache, download]")
@option("--samples", type=count(1), metavar="N", default=500, help="Use the file's first N training images.")
@option("--passes", type=count(1), metavar="N", default=5, help="Epochs of each run.")
@option("--seed", type=count(0), metavar="N", default=0, help="Of weights and drawn digits.")
@option("--backend", type=choice(["cpu", "reference"]), default="cpu", help="What computes.")
@option("--html", type=click.Path(dir_okay=False), help="Write the diagnosis as a page with charts to this file.")
@option("--plots", type=click.Path(file_okay=False), help="Draw the sweep and the epochs into this folder.")
@option("--json", type=click.Path(), help="Write all figures to this file.")
@option("--quiet", is_flag=True, help="Print the result only.")
def main(**given: Any) -> None:
    """A run that names one digit for everything: symptom, cause, cure. Ends with 0, 2 (an error) or 130 (Ctrl-C)."""
    o = SimpleNamespace(**{option.name: given[option.name] for option in main.params})  # as declared, not as typed
    report, record = Report(quiet=o.quiet), Record(vars(o))
    sys.exit(session(lambda: story(o, report, record), report, record, o.json))


if __name__ == "__main__":
    main()
