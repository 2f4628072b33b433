"""A case: "the history is all zeros". Two faults that hid behind each other, and a fix that would have made a third.

    python examples/zero_metrics.py                      MNIST if it can be had, else digits drawn on the spot
    python examples/zero_metrics.py --json figures.json

A classifier was trained for 15 epochs. Its history held a training loss and an accuracy of 0.0 throughout and a
validation loss that never changed. Its author blamed the line `loss_sum += loss * batch_size`, and replaced it by a
mean of batch means. That line was right. The loop had seen no batch at all: a batch was larger than the data, and
drop_last left it out. Once it trained, a second fault came up: training and validation numbered the classes
differently. Read `train` first, which is the loop, then `story`; the author's own code is in zero_metrics_author.py.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import click
import numpy as np
from zero_metrics_author import NAMES, Pairs, Tracker, class_map, minibatches, numbered

from scratchnet import SGD, Dense, Network, ReLU, SoftmaxCrossEntropy
from scratchnet.core.errors import ScratchnetError
from scratchnet.data import Batches, Split, load
from scratchnet.diagnose import diagnose
from scratchnet.diagnose.report import show
from scratchnet.train import Counts, CtrlC, History, Monitor, Record, Report, read_run, session
from scratchnet.train.shown.formats import number, percent
from scratchnet.train.shown.tables import show_table

ABSENT = "eight"  # of which validation has no picture


class Run(NamedTuple):
    """A network, its history as the author wrote it, and as a monitor saw it."""

    net: Network
    written: dict[str, list[float]]
    seen: History


def train(train_batches: Pairs, val_batches: Pairs, o: SimpleNamespace, ctrl_c: CtrlC) -> Run:
    """The loop. It trains on whatever it is given, be it nothing."""
    net = Network([Dense(64), ReLU(), Dense(len(NAMES))], (784,), seed=o.seed, backend=o.backend)
    loss, optimizer = SoftmaxCrossEntropy(), SGD(0.1)
    monitor, written = Monitor(net, loss, optimizer), {"train_loss": [], "train_acc": [], "val_loss": [], "val_acc": []}
    with monitor:
        for name, batches in (("train", train_batches), ("val", val_batches)):
            if batches:
                monitor.data(**{name: tuple(map(np.concatenate, zip(*batches, strict=True)))})
        for epoch in range(1, o.passes + 1):
            tracker, counts = Tracker(), Counts(len(NAMES))
            for x, y in ctrl_c.between(train_batches):
                logits, tape = net.forward(x, training=True)
                value, dlogits = loss(logits, y, tape)
                net.zero_grad()
                net.backward(dlogits, tape)
                with monitor.step(x, y, logits, value):
                    optimizer.step(net)
                tracker.add(logits, y, float(value))
                counts.add(logits, y, float(value))
            val, val_counts = evaluate(net, val_batches)
            for name, figure in zip(written, (tracker.loss, tracker.accuracy, val.loss, val.accuracy), strict=True):
                written[name].append(figure)
            monitor.epoch(epoch, train=counts, val=val_counts)
    return Run(net, written, monitor.history)


def evaluate(net: Network, batches: Pairs) -> tuple[Tracker, Counts]:
    """The author's figures and exact counts, of the same answers."""
    tracker, counts, loss = Tracker(), Counts(len(NAMES)), SoftmaxCrossEntropy()
    for x, y in batches:
        logits, tape = net.forward(x, training=False)
        value, _ = loss(logits, y, tape)
        tracker.add(logits, y, float(value))
        counts.add(logits, y, float(value))
    return tracker, counts


def story(o: SimpleNamespace, report: Report, record: Record) -> None:
    """Both faults, the trap in the fix, and what the console's "proof" was."""
    data = load(o.data, o.data_dir, val=0, samples=o.samples, seed=o.seed)
    record.set(data=data.name, classes=NAMES)
    if data.note:
        report.line(f"Note: {data.note}", "bold yellow")
    present = data.test.y[:1000] != NAMES.index(ABSENT)
    val = Split("val", data.test.x[:1000][present], data.test.y[:1000][present])
    one = class_map(set(NAMES))
    with CtrlC() as ctrl_c:
        nothing(numbered(data.train, one), numbered(val, one), o, ctrl_c, report, record)
        batches = minibatches(numbered(data.train, one), 16)
        two_maps(batches, val, o, ctrl_c, report, record)
        cured = train(batches, minibatches(numbered(val, one), 64), o, ctrl_c)
        accuracy = cured.written["val_acc"][-1]
        report.line(f"With one map for both: {percent(accuracy)} of validation right.", "bold")
        record.set(val_accuracy=accuracy, train_accuracy=cured.written["train_acc"][-1], epochs=o.passes)
        the_fix(cured.net, numbered(val, one), report, record)
    the_console(report, record)


def nothing(train_split: Split, val: Split, o: SimpleNamespace, ctrl_c: CtrlC, report: Report, record: Record) -> None:
    chapter(report, "1. Zeros", f"{len(train_split)} images in batches of {len(train_split) + 16}, drop_last=True.")
    batches = minibatches(train_split, len(train_split) + 16, drop_last=True)
    run = train(batches, minibatches(val, 64), o, ctrl_c)
    heads = ("epoch", *run.written)
    show_table(
        report, heads, [(e, *map(number, row)) for e, row in enumerate(zip(*run.written.values(), strict=True), 1)]
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.json"
        path.write_text(json.dumps(run.written), "utf-8")
        history = read_run(path)
    history.source = path.name
    first = verdict(history, report)
    report.line(f"The loop was given {len(batches)} batches. scratchnet's own loader refuses that:")
    try:
        Batches(train_split, len(train_split) + 16, drop_last=True, backend=o.backend)
    except ScratchnetError as error:
        report.line(f"  {error}", "dim")
    record.set(zeros=run.written, zeros_first=first)


def two_maps(batches: Pairs, val: Split, o: SimpleNamespace, ctrl_c: CtrlC, report: Report, record: Record) -> None:
    text = f"Now it trains. Validation has no {ABSENT!r}; its map was made from the classes that it has."
    chapter(report, "2. Two class maps", text)
    run = train(batches, minibatches(numbered(val, class_map(set(NAMES) - {ABSENT})), 64), o, ctrl_c)
    loss, right = run.written["val_loss"][-1], run.written["val_acc"][-1]
    rows = [("train", percent(run.written["train_acc"][-1]), number(run.written["train_loss"][-1]))]
    rows += [("validation", percent(right), number(loss)), ("knowing nothing", "", f"ln 10 = {np.log(10):.4g}")]
    show_table(report, ("split", "accuracy", "loss"), rows)
    record.set(two_maps=run.written, two_maps_first=verdict(run.seen, report))


def the_fix(net: Network, val: Split, report: Report, record: Record) -> None:
    text = "The same answers of the same network to the same samples; only the size of the batches differs."
    chapter(report, "3. The trap in the fix", text)
    rows, off = [], []
    for size in (len(val), len(val) - 1, 2 * len(val) // 3, 64, 1):
        batches = minibatches(val, size)
        tracker, counts = evaluate(net, batches)
        loss, accuracy = tracker.fixed
        off.append(accuracy - counts.accuracy)
        rights = (f"{rate * len(val):.2f}" for rate in (tracker.accuracy, accuracy))
        rows.append((size, len(batches[-1][0]), number(tracker.loss), number(loss), *rights))
    show_table(report, ("batch", "last one", "loss", "its fix", "right", "its fix"), rows)
    text = (
        "Sums over samples give one figure however they are cut. A mean of means counts a sample of a small last batch"
    )
    report.line(f"{text} for more than the others; accuracy times samples is then no whole number, and gives it away.")
    record.set(fix_off=off, batch_sizes=[row[0] for row in rows])


def the_console(report: Report, record: Record) -> None:
    chapter(report, "4. The proof on the console", 'The fix was "proven" by a console that printed these accuracies.')
    printed = "0.20", "0.60", "2.42"
    fits = [n for n in range(1, 1000) if all(f"{100 * round(float(p) * n / 100) / n:.2f}" == p for p in printed)]
    text = ", ".join(f"{p}% is {round(float(p) * fits[0] / 100)}" for p in printed)
    report.line(f"{text} of {fits[0]} samples; no smaller number gives all three. It was a run on other data.")
    record.set(console_samples=fits)


def verdict(history: History, report: Report) -> str | None:
    """Show what the doctor says; return the id of the first cause."""
    diagnosis = diagnose(history)
    if not report.quiet:
        show(diagnosis, report.console.file)
    first = diagnosis.order[0] if diagnosis.order else None
    report.result(f"first cause: {first}")
    return first


def chapter(report: Report, title: str, text: str) -> None:
    report.line(f"\n{title}", "bold underline")
    report.line(text, "dim")


# fmt: off
option, choice, count = click.option, click.Choice, click.IntRange
@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@option("--data", type=choice(["auto", "mnist", "fashion", "kmnist", "drawn"]), default="auto", help="Data set.")
@option("--data-dir", type=click.Path(), help="Where its files are.  [default: SCRATCHNET_DATA, cache, download]")
@option("--samples", type=count(16), metavar="N", default=496, help="Use the file's first N training images.")
@option("--passes", type=count(1), metavar="N", default=15, help="Epochs of each run.")
@option("--seed", type=count(0), metavar="N", default=0, help="Of weights and drawn digits.")
@option("--backend", type=choice(["cpu", "reference"]), default="cpu", help="What computes.")
@option("--json", type=click.Path(), help="Write all figures to this file.")
@option("--quiet", is_flag=True, help="Print the result only.")
def main(**given: Any) -> None:
    """A history of zeros: both faults, and the trap in the fix. Ends with 0, 2 (an error) or 130 (Ctrl-C)."""
    o = SimpleNamespace(**{option.name: given[option.name] for option in main.params})  # as declared, not as typed
    report, record = Report(quiet=o.quiet), Record(vars(o))
    sys.exit(session(lambda: story(o, report, record), report, record, o.json))


if __name__ == "__main__":
    main()
