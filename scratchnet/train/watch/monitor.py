"""The monitor: what a training loop holds to have its run written down. A look every now and then, losses always.

    monitor = Monitor(net, loss, optimizer)
    monitor.data(train=batches, val=val_batches)
    for epoch in range(1, epochs + 1):
        for x, y in batches.epoch(epoch):
            logits, tape = net.forward(x, training=True)
            value, dlogits = loss(logits, y, tape)
            net.zero_grad()
            net.backward(dlogits, tape)
            with monitor.step(x, y, logits, value):
                optimizer.step(net)
        monitor.epoch(epoch, train=counts, val=val_counts)
    monitor.close()
    monitor.history                                  # what the doctor reads

A look walks through the plain layers once more on the same batch (probe.py) and changes nothing: the run is the same
to the bit with and without it.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

from scratchnet.core.layer import require, whole
from scratchnet.core.loss import Loss
from scratchnet.core.network import Network
from scratchnet.core.types import Leaves, samples
from scratchnet.optim import Optimizer

from ..history import History
from ..history.records import End, Epoch, Event, Look
from ..shown.console import Report
from .configuration import configuration
from .facts import Facts
from .looker import Looker
from .measured import Countable, measured
from .measures.culprit import culprit
from .measures.outputs import classes_of
from .pace import Pace
from .recorder import Recorder, Sink
from .spikes import Spikes
from .update import Update

EARLY = frozenset((1, 2, 3, 5, 10, 20, 50, 100))  # looks that come before the first regular one
EXPECTED = {
    "data": "the data (monitor.data)",
    "look": "any step (monitor.step)",
    "update": "any update (with monitor.step(...): optimizer.step(...))",
    "epoch": "the end of any epoch (monitor.epoch)",
}


class Monitor:
    """Keeps the history of a run.

    Args:
        net, loss, optimizer: those of the loop.
        every: steps from one look to the next, after those at 1, 2, 3, 5, 10, 20, 50, 100.
        run: where records go besides `history`: a sink or several. A RunDir also gets the run's configuration.
        settings: what else belongs to the configuration: {"batch_size": 128, ...}.
        report: where `close` says what was never seen.
    `history` is what is known so far (losses enter it in front of the next other record), `steps` how many there were.

    Raises ConfigError: `every` is no whole number, or a network of other numbers than floats.
    """

    def __init__(
        self,
        net: Network,
        loss: Loss,
        optimizer: Optimizer,
        *,
        every: int = 200,
        run: Sink | Iterable[Sink] = (),
        settings: Mapping[str, Any] | None = None,
        report: Report | None = None,
    ) -> None:
        require(whole(every), "a monitor looks every so many steps", expected="1 or more", actual=repr(every))
        require(net.dtype.kind == "f", "a monitor looks at floats", actual=str(net.dtype))
        self.net, self.optimizer, self.every, self.report = net, optimizer, every, report
        self.history, self.steps = History(config=configuration(net, loss, optimizer) | dict(settings or {})), 0
        classes = classes_of(loss, net.output_shape)
        self._recorder = Recorder(self.history, run, (*EXPECTED, "spike", "nonfinite"))
        self._facts, self._looker = Facts(classes), Looker(net, loss, classes)
        self._spikes, self._pace, self._context = Spikes(), Pace(), Update(self)
        self._look: Look | None = None  # that waits for its update
        self._broken = False  # something has been found that is not finite
        self._error: BaseException | None = None  # that the update ended with
        self._epochs = self._count = 0
        self._begin_epoch()

    def data(self, **splits: Any) -> None:
        """Look at splits by name: `Batches`, or a pair (x, y) of arrays as the network gets them."""
        for name in sorted(splits, key=lambda name: name != "train"):  # the others are held against it
            self._recorder.write("data", self._facts.of(name, splits[name]))

    def step(self, x: Leaves, y: Any, logits: Any, value: Any, *, lr: float | None = None, **side: Any) -> Update:
        """Take note of a step before its update. Make the update within the context that is returned.

        Args:
            x, y: the batch.
            logits, value: what the network put out, and the loss.
            lr: the step's learning rate, if it is not the optimizer's own.
            side: side inputs, as the forward got them.
        """
        self.finish_step()  # of a step whose context was not entered
        value, size, count = float(value), samples(x), int(self.net.count[0])
        lr = self.optimizer.lr if lr is None else lr
        self.steps += 1
        self._batches += 1
        self._samples += size
        self._pace.step(size)
        self._recorder.step(value, lr)
        spike = self._spikes.add(value)
        if spike is not None:
            self._event("spike", value, message=str(spike))
        lost = not (self._broken or math.isfinite(value))
        if lost or self.steps % self.every == 0 or self.steps in EARLY:
            known = {"step": self.steps, "epoch": self._epochs + 1, "lr": lr, "loss": value}
            known |= {"training": count > self._count, "samples_per_second": self._pace.taken()}
            self._look = self._looker.before(x, y, logits, side, **known)
            self._judge(self._look)
            self._pace.resume()
        self._count = count
        return self._context

    def epoch(self, epoch: int, **splits: Countable) -> None:
        """An epoch has ended. `splits`: what was counted, by the split's name; None is left out."""
        self.finish_step()
        count = int(self.net.count[0])
        self._recorder.write(
            "epoch",
            Epoch(
                epoch=epoch,
                batches=self._batches,
                samples=self._samples,
                forwards=count - self._first_count,
                seconds=time.perf_counter() - self._began,
                lr=self._recorder.lr if self._batches else None,
                splits={name: measured(counts) for name, counts in splits.items() if counts is not None},
            ),
        )
        self._epochs += 1
        self._begin_epoch()

    def close(self, error: BaseException | None = None) -> None:
        """The run has ended: by `error`, by the exception that is being handled, or well. Once is enough."""
        if self.history.end is not None:
            return
        self.finish_step()
        error = error or self._error or sys.exception()
        how = "finished" if error is None else "interrupted" if isinstance(error, KeyboardInterrupt) else "stopped"
        message = None if error is None else f"{type(error).__name__}: {error}".removesuffix(": ")
        fired = self._recorder.fired
        self._recorder.write("end", End(how=how, message=message, steps=self.steps, fired=dict(fired)))
        unseen = [what for kind, what in EXPECTED.items() if not fired[kind]]
        if unseen and self.report is not None:
            self.report.line(f"the monitor has not seen {', nor '.join(unseen)}", "bold yellow")

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close(error)

    @property
    def waiting(self) -> bool:
        """Whether a look is to be finished."""
        return self._look is not None

    def finish_step(self, *, updated: bool = False, error: BaseException | None = None) -> None:
        """Write the look that waits. Called by the step's context."""
        look, self._look, self._error = self._look, None, error or self._error
        if look is not None:
            if updated:
                look = self._looker.after(look)
                self._recorder.fired["update"] += 1
            self._recorder.write("look", look)
            self._pace.resume()

    def _begin_epoch(self) -> None:
        self._batches = self._samples = 0
        self._count = self._first_count = int(self.net.count[0])
        self._began = time.perf_counter()
        self._pace.pause()

    def _judge(self, look: Look) -> None:
        """Say where something is not finite: once, until all is finite again."""
        found = culprit(look)
        if found is not None and not self._broken:
            self._event("nonfinite", look.loss, found.where, found.message)
        self._broken = found is not None

    def _event(self, what: str, value: float | None, where: str | None = None, message: str | None = None) -> None:
        self._recorder.write(what, Event(step=self.steps, what=what, where=where, value=value, message=message))
