"""One training run, as its `Setup` says, with a monitor beside it or without."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from _doctor_data import Array
from _doctor_outcome import Outcome, as_log, count, cross_entropy, judge, mean_loss, measured, rate
from _doctor_setup import Setup

from scratchnet import Network
from scratchnet.core import ScratchnetError
from scratchnet.data import Batches
from scratchnet.optim import NonFiniteGradientError, clip_factor
from scratchnet.train.history.history import History
from scratchnet.train.history.records import Epoch, Measured
from scratchnet.train.metrics import Counts


class Unwatched:
    """A monitor that sees nothing."""

    history = None

    def step(self, *_: Any, **__: Any) -> contextlib.AbstractContextManager[None]:
        """Nothing."""
        return contextlib.nullcontext()

    def epoch(self, *_: Any, **__: Any) -> None:
        """Nothing."""


def run(setup: Setup, *, watched: bool = False) -> Outcome:
    """Train; with `watched`, under a monitor."""
    net, outcome = setup.network(), Outcome()
    batches = {name: setup.task.batches(split, setup.batch_size, shuffle=name == "train" and setup.shuffle,
                                        seed=setup.seed, drop_last=_drops(setup, name),
                                        dtype=setup.dtype)
               for name, split in setup.task.splits.items()}  # fmt: skip
    with np.errstate(all="ignore"):
        try:
            with _watch(setup, net, batches, watched) as monitor:
                _train(setup, net, batches, outcome, monitor)
        except ScratchnetError as error:
            outcome.stopped = str(error)
        judge(setup, net, outcome)
    outcome.weights = net.parameters.snapshot()
    history: History | None = monitor.history
    if history is not None:
        for change in setup.on_record:
            history = change(history, setup)
        outcome.recorded = as_log(history) if setup.log_only else history
    return outcome


def _drops(setup: Setup, name: str) -> bool:
    """Whether a last batch is left out. One of a single sample has no variance for a batch normalisation to use."""
    single = len(setup.task.splits[name]) % setup.batch_size == 1 < setup.batch_size
    return (single and (name == "train" or setup.eval_mode)) or (setup.drop_last and name == "train")


@contextlib.contextmanager
def _watch(setup: Setup, net: Network, batches: dict[str, Batches], watched: bool) -> Iterator[Any]:
    if not watched:
        yield Unwatched()
        return
    from scratchnet.train.watch.monitor import Monitor

    with Monitor(net, setup.loss, setup.optimizer, every=setup.every) as monitor:
        monitor.data(**{name: batches[name] for name in ("train", *dict.fromkeys(setup.measures))})
        yield monitor


def _train(setup: Setup, net: Network, batches: dict[str, Batches], outcome: Outcome, monitor: Any) -> None:
    start = net.parameters.flat.copy()
    step = 0
    for epoch in range(1, setup.epochs + 1):
        counts = Counts(net.output_shape[0])
        if setup.loops is None or setup.loops(epoch):
            for x, y in batches["train"].epoch(epoch):
                _step(setup, net, step, x, y, outcome, counts, monitor)
                step += 1
        recorded = {name: _measure(setup, net, batches[of], start) for name, of in setup.measures.items()}
        held = recorded.get("val") or _measure(setup, net, batches["val"], start)
        outcome.val.append((mean_loss(held), rate(held.correct, held.total)))
        if counts.total or setup.loops is None:
            monitor.epoch(epoch, train=counts, **recorded)
        elif monitor.history is not None:  # a loop of its own, whose sums of nothing came out as 0
            nothing = Measured(loss=0.0, accuracy=0.0, correct=0, total=0)
            splits = {"train": nothing} | {name: measured(c) for name, c in recorded.items()}
            monitor.history.add(Epoch(epoch=epoch, batches=0, samples=0, splits=splits))
        if setup.stops and outcome.said and not math.isfinite(outcome.said[-1]):
            break


def _step(
    setup: Setup, net: Network, step: int, x: Array, y: Array, outcome: Outcome, counts: Counts, monitor: Any
) -> None:
    for batch_change in setup.on_batch:
        x, y = batch_change(step, x, y)
    logits, tape = net.forward(x, training=setup.train_mode)
    targets = y if setup.targets is None else setup.targets(y)
    value, dlogits = setup.loss(logits, targets, tape)
    said = float(value)
    for loss_change in setup.on_loss:
        said, dlogits = loss_change(step, logits, y, said, dlogits)
    if setup.zeroes is None or setup.zeroes(step):
        net.zero_grad()
    net.backward(np.asarray(dlogits, net.dtype), tape)
    said += sum(change(step, net) for change in setup.on_gradient)
    lr = setup.optimizer.lr if setup.schedule is None else setup.schedule(step)
    lr *= 1.0 if setup.lr_factor is None else setup.lr_factor(step, outcome.said)
    factor = 1.0
    if setup.clip is not None:
        with contextlib.suppress(NonFiniteGradientError):
            factor, _ = clip_factor(net, setup.clip)
    outcome.losses.append(cross_entropy(logits, y))
    outcome.said.append(said)
    with monitor.step(x, y, logits, said, lr=lr):
        kept = setup.before_step(net) if setup.before_step else None
        setup.optimizer.step(net, lr=lr, clip=factor)
        if setup.after_step:
            setup.after_step(net, kept)
    count(counts, logits, y, said)


def _measure(setup: Setup, net: Network, batches: Batches, start: Array) -> Counts:
    """The network on a split, as the loop measures it."""
    counts, now = Counts(net.output_shape[0]), None
    if setup.stale:
        now = net.parameters.flat.copy()
        net.parameters.flat[...] = start
        net.parameters.version += 1
    for x, y in batches.epoch(0):
        logits, tape = net.forward(x, training=setup.eval_mode)
        count(counts, logits, y, cross_entropy(logits, y))
        tape.release()
    if now is not None:
        net.parameters.flat[...] = now
        net.parameters.version += 1
    return counts
