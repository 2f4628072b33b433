"""The ready-made loop, for when there is nothing to see in it."""

from __future__ import annotations

import time
from contextlib import nullcontext, suppress

from scratchnet.core.layer import require, whole
from scratchnet.core.loss import Loss
from scratchnet.core.network import Network
from scratchnet.core.types import Array
from scratchnet.data import Batches
from scratchnet.optim import Optimizer, Schedule

from .errors import NonFiniteError, require_finite
from .history import History
from .history.records import Measured
from .metrics import Counts
from .norms import gradient_norms
from .shown.console import Report
from .watch.measured import measured as measured_counts
from .watch.measures.outputs import classes_of, labels_of
from .watch.monitor import Monitor


def fit(
    net: Network,
    loss: Loss,
    optimizer: Optimizer,
    train: Batches,
    *,
    epochs: int,
    val: Batches | None = None,
    test: Batches | None = None,
    schedule: Schedule | None = None,
    monitor: Monitor | None = None,
    report: Report | None = None,
) -> History:
    """Train, measure after every epoch, return the history.

    The run ends early where the loss of a batch is no longer finite: `history.end` says so.

    Args:
        epochs: passes over `train`.
        val, test: splits that are measured after every epoch.
        schedule: the learning rate of a step, counted from 0; the optimizer's own without one.
        monitor: what writes the history, if not one made here. It is closed at the end.
        report: shows a line under the run, and one for each epoch.

    Raises ConfigError: epochs is no whole number, 1 or more; and what layers and loss raise.
    """
    require(whole(epochs), "epochs is a whole number, 1 or more", actual=repr(epochs))
    monitor = monitor or Monitor(net, loss, optimizer, report=report)
    classes, step = classes_of(loss, net.output_shape), 0
    others = {name: split for name, split in (("val", val), ("test", test)) if split is not None}
    live = report.live(epochs, len(train)) if report and classes else nullcontext()
    with suppress(NonFiniteError), monitor, live as line:
        monitor.data(train=train, **others)
        for epoch in range(1, epochs + 1):
            tally, began = Tally(classes), time.perf_counter()
            for x, y in train.epoch(epoch):
                lr = optimizer.lr if schedule is None else schedule(step)
                logits, tape = net.forward(x, training=True)
                value, dlogits = loss(logits, y, tape)
                net.zero_grad()
                net.backward(dlogits, tape)
                update = monitor.step(x, y, logits, value, lr=lr)
                require_finite(float(value), epoch=epoch, batch=step % len(train) + 1, lr=lr)
                with update:
                    optimizer.step(net, lr=lr)
                step += 1
                tally.add(logits, y, value)  # under the weights as they were at this batch
                if line is not None and tally.counts is not None:
                    line.show(epoch, tally.counts, time.perf_counter() - began)
            measured = {"train": tally} | {name: evaluate(net, loss, split) for name, split in others.items()}
            monitor.epoch(epoch, **{name: tally.measured for name, tally in measured.items()})
            if report is not None and classes:
                shown = {name: tally.counts for name, tally in measured.items()}
                report.epoch(epoch, epochs, shown, gradient_norms(net))
            elif report is not None:
                shares = ", ".join(f"{name} {tally.measured.loss:.4g}" for name, tally in measured.items())
                report.line(f"epoch {epoch}/{epochs}  loss: {shares}")
    return monitor.history


def evaluate(net: Network, loss: Loss, batches: Batches) -> Tally:
    """Loss and counts over a whole split, in evaluation mode."""
    tally = Tally(classes_of(loss, net.output_shape))
    for x, y in batches.epoch(0):
        logits, tape = net.forward(x, training=False)
        value, _ = loss(logits, y, tape)
        tally.add(logits, y, value)
    return tally


class Tally:
    """What a pass over a split comes to: the loss, and the counts where targets are classes."""

    def __init__(self, classes: int | None) -> None:
        self.counts = Counts(classes) if classes else None
        self._classes, self._loss, self._total = classes, 0.0, 0

    def add(self, logits: Array, targets: Array, value: Array) -> None:
        """A batch and its mean loss. Labels that are to be ignored are not counted."""
        self._loss += float(value) * len(logits)
        self._total += len(logits)
        labels = labels_of(targets, self._classes)
        if self.counts is not None and self._classes is not None and labels is not None:
            known = (labels >= 0) & (labels < self._classes)
            if known.all():
                self.counts.add(logits, labels, float(value))
            elif known.any():
                self.counts.add(logits[known], labels[known], float(value))

    @property
    def measured(self) -> Measured:
        """As a record."""
        if self.counts is not None and self.counts.total:
            return measured_counts(self.counts)
        return Measured(loss=self._loss / self._total if self._total else None, total=self._total)
