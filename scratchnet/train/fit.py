"""The ready-made loop, for when there is nothing to see in it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from typing import Any

from scratchnet.checkpoint import Checkpointer
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
from .watch.kept import KeptMonitor
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
    checkpointer: Checkpointer | None = None,
    resume: bool = False,
) -> History:
    """Train, measure after every epoch, return the history.

    The run ends early where the loss of a batch is no longer finite: `history.end` says so.

    Args:
        epochs: passes over `train`.
        val, test: splits that are measured after every epoch.
        schedule: the learning rate of a step, counted from 0; the optimizer's own without one.
        monitor: what writes the history, if not one made here. It is closed at the end.
        report: shows a line under the run, and one for each epoch.
        checkpointer: keeps the run; its metrics are called "train_loss", "val_accuracy" and the like.
        resume: go on from its newest checkpoint, in the same way to the bit. A run folder that the monitor writes into
            is cut back to there; open it with RunDir(path, resume=True).

    Raises ConfigError: epochs is no whole number, 1 or more; CheckpointError: where there is nothing to resume, or it
    is another run; and what layers and loss raise.
    """
    require(whole(epochs), "epochs is a whole number, 1 or more", actual=repr(epochs))
    monitor = monitor or Monitor(net, loss, optimizer, report=report)
    classes = classes_of(loss, net.output_shape)
    saver, tally = checkpointer or Checkpointer(None), Tally(classes)
    kept: dict[str, Any] = {"tally": tally, "monitor": KeptMonitor(monitor)}
    settings = {"loss": repr(loss), "optimizer": repr(optimizer), "schedule": repr(schedule)}
    facts = {**settings, "lr": optimizer.lr, "seed": net.seed, "batch_size": getattr(train, "batch_size", None)}
    at = (saver.resume if resume else saver.begin)(net, settings=settings, **kept)
    others = {name: split for name, split in (("val", val), ("test", test)) if split is not None}
    live = report.live(epochs, len(train)) if report and classes else nullcontext()
    with suppress(NonFiniteError), monitor, live as line:
        if not monitor.history.data:
            monitor.data(train=train, **others)
        for epoch in range(at.epoch, epochs + 1):
            if not at.batch:
                kept["tally"] = tally = Tally(classes)
            began = time.perf_counter()
            for x, y in train.epoch(epoch, at.batch) if at.batch else train.epoch(epoch):
                lr = optimizer.lr if schedule is None else schedule(at.step)
                logits, tape = net.forward(x, training=True)
                value, dlogits = loss(logits, y, tape)
                net.zero_grad()
                net.backward(dlogits, tape)
                update = monitor.step(x, y, logits, value, lr=lr)
                require_finite(float(value), epoch=epoch, batch=at.batch + 1, lr=lr)
                with update:
                    optimizer.step(net, lr=lr)
                at = at.next_batch()
                tally.add(logits, y, value)  # under the weights as they were at this batch
                saver.step(at, **kept)
                if line is not None and tally.counts is not None:
                    line.show(epoch, tally.counts, time.perf_counter() - began)
            measured = {"train": tally} | {name: evaluate(net, loss, split) for name, split in others.items()}
            monitor.epoch(epoch, **{name: tally.measured for name, tally in measured.items()})
            at = at.next_epoch()
            saver.epoch(at, metrics_of(measured), facts, **kept)
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


def metrics_of(measured: Mapping[str, Tally]) -> dict[str, float]:
    """{"train_loss": 0.1, "train_accuracy": 0.97, "val_loss": ...}, without what was not measured."""
    figures = {
        f"{split}_{name}": getattr(tally.measured, name)
        for split, tally in measured.items()
        for name in ("loss", "accuracy")
    }
    return {name: value for name, value in figures.items() if value is not None}


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

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of a half-done epoch."""
        return {"counts": self.counts and self.counts.state_dict(), "loss": self._loss, "total": self._total}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another one stood."""
        self._loss, self._total = state["loss"], state["total"]
        if self.counts is not None:
            self.counts.load_state_dict(state["counts"])

    @property
    def measured(self) -> Measured:
        """As a record."""
        if self.counts is not None and self.counts.total:
            return measured_counts(self.counts)
        return Measured(loss=self._loss / self._total if self._total else None, total=self._total)
