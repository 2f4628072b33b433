"""Faults of the loop around the step and of what it writes down: modes, splits, empty epochs, impossible figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from _doctor_base import Wants
from _doctor_data import Rng
from _doctor_rules import cannot_be, fault, present
from _doctor_setup import Setup

from scratchnet.train.history.history import History
from scratchnet.train.history.records import Measured

RANDOM = Wants(nets=("mlp", "cnn", "deep"), norms=("batch",), dropouts=(0.0, 0.25))
DROPPING = Wants(nets=("mlp", "deep"), dropouts=(0.25, 0.4), norms=("", "batch"))


@fault("zero-batches", present, log=True, second=("frozen-validation", "frozen-parameters"))
def no_batch_at_all(s: Setup, rng: Rng) -> None:
    """drop_last with fewer samples than one batch: every epoch is empty, and sums of nothing are written as 0."""
    s.loops = lambda epoch: False


@fault("zero-batches", present, log=True, second=("frozen-validation", "frozen-parameters"))
def used_up(s: Setup, rng: Rng) -> None:
    """An iterator that is empty after the first epoch."""
    s.epochs = max(4, s.epochs)
    s.loops = lambda epoch: epoch == 1


@fault("wrong-mode", present, RANDOM)
def evaluates_as_if_training(s: Setup, rng: Rng) -> None:
    """Nobody says training=False to the batch normalisation."""
    s.eval_mode = True


@fault("wrong-mode", present, DROPPING)
def evaluates_with_dropout(s: Setup, rng: Rng) -> None:
    """Nobody says training=False to the dropout."""
    s.eval_mode = True


@fault("wrong-mode", present, RANDOM)
def trains_as_if_evaluating(s: Setup, rng: Rng) -> None:
    """The mode was never set back after the first evaluation."""
    s.train_mode = False


@fault("wrong-mode", present, DROPPING, second=("overfitting",))
def trains_without_dropout(s: Setup, rng: Rng) -> None:
    """The mode was never set back; dropout drops nothing."""
    s.train_mode = False


@fault("wrong-split", present)
def test_is_training(s: Setup, rng: Rng) -> None:
    """What is called test was measured on the training samples."""
    s.measures = {"val": "val", "test": "train"}


@fault("wrong-split", present)
def validation_is_training(s: Setup, rng: Rng) -> None:
    """What is called validation was measured on the training samples."""
    s.measures = {"val": "train"}


@fault("wrong-split", present, log=True)
def one_figure_twice(s: Setup, rng: Rng) -> None:
    """The training figures are written under the name of the validation."""
    s.measures = {"val": "val"}
    s.on_record.append(lambda history, setup: _each(history, lambda splits: splits | {"val": splits["train"]}))


@fault("frozen-validation", present, log=True)
def an_old_copy(s: Setup, rng: Rng) -> None:
    """Evaluation looks at a copy of the network that was made before training."""
    s.stale = True


@fault("frozen-validation", present, log=True)
def measured_once(s: Setup, rng: Rng) -> None:
    """The first epoch's figures are kept, and written again and again."""

    def first(history: History, setup: Setup) -> History:
        if not history.epochs:
            return history
        val = history.epochs[0].splits["val"]
        return _each(history, lambda splits: splits | {"val": val})

    s.on_record.append(first)


def _each(history: History, change: Callable[[dict[str, Measured]], dict[str, Measured]]) -> History:
    epochs = [replace(e, splits=change(dict(e.splits))) if "train" in e.splits else e for e in history.epochs]
    return replace(history, epochs=epochs)


def _rates(s: Setup, rng: Rng, change: Callable[[Measured, int], float], name: str) -> None:
    """Write another accuracy for a split; counts that would give it away are not written."""

    def swap(history: History, setup: Setup) -> History:
        def of(splits: dict[str, Measured]) -> dict[str, Measured]:
            m = splits.get(name)
            if m is None or m.accuracy is None or m.total is None:
                return splits
            return splits | {name: Measured(loss=m.loss, accuracy=change(m, m.total), total=m.total)}

        return _each(history, of)

    s.on_record.append(swap)


@fault("impossible-accuracy", cannot_be)
def mean_of_ragged_batches(s: Setup, rng: Rng) -> None:
    """Batch means are averaged though the last batch is smaller: the rate is that of no whole number of samples."""
    batch = s.batch_size

    def ragged(m: Measured, total: int) -> float:
        correct, full = round((m.accuracy or 0) * total), total // batch
        rest = total - full * batch
        if not rest or not full:
            return (correct + 0.37) / total
        last = min(rest, max(1, round(correct / total * rest) - 1))
        return ((correct - last) / batch + last / rest) / (full + 1)

    _rates(s, rng, ragged, str(rng.choice(("val", "train"))))


@fault("impossible-accuracy", cannot_be)
def smoothed(s: Setup, rng: Rng) -> None:
    """A running average of the epochs is written as this epoch's rate."""
    before: dict[str, float] = {}

    def smooth(m: Measured, total: int) -> float:
        before["rate"] = 0.7 * before.get("rate", 0.0) + 0.3 * (m.accuracy or 0.0)
        return before["rate"]

    _rates(s, rng, smooth, "val")


@fault("impossible-accuracy", cannot_be, log=True)
def never_set_back(s: Setup, rng: Rng) -> None:
    """The counter of right answers goes on over the epochs, that of samples does not."""
    right: dict[str, float] = {}

    def add(m: Measured, total: int) -> float:
        right["rate"] = right.get("rate", 0.0) + (m.accuracy or 0.0)
        return right["rate"]

    _rates(s, rng, add, "val")
