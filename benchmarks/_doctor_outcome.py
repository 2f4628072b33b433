"""How a training run of the benchmark really went: measured beside it, whatever it recorded of itself."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from _doctor_data import Array
from _doctor_setup import Setup

from scratchnet import Network, SoftmaxCrossEntropy
from scratchnet.train.history.history import History
from scratchnet.train.history.records import Epoch, Measured
from scratchnet.train.metrics import Counts

CROSS_ENTROPY = SoftmaxCrossEntropy()


@dataclass
class Outcome:
    """How a run went.

    Attributes:
        losses: the plain cross-entropy of every batch, whatever the loop called its loss.
        said: the loss as the loop had it.
        val: (loss, accuracy) on the validation split after each epoch, in evaluation mode.
        train_loss, train_accuracy: on the training split at the end, in evaluation mode.
        accuracy, balanced: on clean samples that the run never saw; balanced: mean over classes.
        stopped: why it ended early, or "".
        recorded: the history that a monitor kept, or None.
        weights: parameters at the end, by name.
    """

    losses: list[float] = field(default_factory=list)
    said: list[float] = field(default_factory=list)
    val: list[tuple[float, float]] = field(default_factory=list)
    train_loss: float = math.inf
    train_accuracy: float = 0.0
    accuracy: float = 0.0
    balanced: float = 0.0
    stopped: str = ""
    recorded: History | None = None
    weights: dict[str, Array] = field(default_factory=dict)

    @property
    def finite(self) -> bool:
        """Whether it came to its end in finite numbers."""
        return not self.stopped and bool(np.isfinite(self.said).all()) and math.isfinite(self.train_loss)

    def stretch(self, start: float, stop: float) -> float:
        """Mean loss of the batches from one part of the run to another; infinite where it is not finite."""
        if not self.losses:
            return math.inf
        n = len(self.losses)
        part = self.losses[int(start * n) : max(int(stop * n), int(start * n) + 1)] or self.losses[-1:]
        mean = float(np.mean(part))
        return mean if math.isfinite(mean) else math.inf


def judge(setup: Setup, net: Network, outcome: Outcome) -> None:
    """Hold the network that came out against its training samples and against clean ones."""
    for split in (setup.task.train, setup.task.truth):
        counts = Counts(net.output_shape[0])
        for x, y in setup.task.batches(split, 500, shuffle=False, dtype=setup.dtype).epoch(0):
            logits = net.predict(x)
            count(counts, logits, y, cross_entropy(logits, y))
        if split is setup.task.train:
            outcome.train_loss = mean_loss(counts)
            outcome.train_accuracy = rate(counts.correct, counts.total)
    outcome.accuracy = rate(counts.correct, counts.total)
    outcome.balanced = float(np.mean([rate for rate in counts.per_class if rate is not None] or [0.0]))


def cross_entropy(logits: Array, y: Array) -> float:
    """Mean over the rows whose label the network can name."""
    known = (y >= 0) & (y < logits.shape[1])
    if not known.any():
        return 0.0
    return float(CROSS_ENTROPY(np.array(logits[known], np.float64), y[known])[0])


def count(counts: Counts, logits: Array, y: Array, loss: float) -> None:
    """Count what can be counted: NaN logits as class 0, and no label that the network cannot name."""
    known = (y >= 0) & (y < logits.shape[1])
    counts.add(np.nan_to_num(logits[known]), y[known], loss)


def rate(part: float, whole: int) -> float:
    """A quotient; NaN where nothing was counted."""
    return part / whole if whole else math.nan


def mean_loss(counts: Counts) -> float:
    """The mean loss; NaN where nothing was counted."""
    return counts.loss if counts.loss_total else math.nan


def measured(counts: Counts) -> Measured:
    """Counts as they are recorded."""
    matrix = tuple(tuple(int(n) for n in row) for row in counts.matrix)
    accuracy = rate(counts.correct, counts.total)
    return Measured(loss=mean_loss(counts), accuracy=accuracy, correct=counts.correct,
                    total=counts.total, matrix=matrix)  # fmt: skip


def as_log(history: History) -> History:
    """What a log of that run would have kept: loss and accuracy of every split, epoch by epoch."""
    epochs = [
        Epoch(epoch=e.epoch, splits={n: Measured(loss=m.loss, accuracy=m.accuracy) for n, m in e.splits.items()})
        for e in history.epochs
    ]
    return replace(history, config={}, data={}, losses=[], lrs=[], looks=[], events=[], end=None, epochs=epochs)
