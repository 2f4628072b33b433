"""The ready-made loop with a checkpointer: a run that broke off goes on as if it had not, its history too."""

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest

from scratchnet import SGD, Adam, Dense, Dropout, Flatten, Network, ReLU, SoftmaxCrossEntropy
from scratchnet.checkpoint import Checkpointer, CheckpointError
from scratchnet.data import Batches, Split, drawn
from scratchnet.optim import Cosine
from scratchnet.train import Monitor, RunDir, fit, read_run
from scratchnet.train.watch.kept import KeptMonitor


class PlugError(Exception):
    """Somebody pulled it."""


def run(folder, *, resume=False, stop=None, optimizer=None, records=True):
    """Train for three epochs of nine steps; raise PlugError in the forward after so many."""
    x, y = drawn(170, seed=0)
    train, val = Split("train", x[:140], y[:140]), Split("val", x[140:], y[140:])
    net = Network([Flatten(), Dense(12), ReLU(), Dropout(0.2), Dense(10)], train.sample_shape, backend="reference")
    loss, optimizer = SoftmaxCrossEntropy(), optimizer or Adam(0.01)
    sink = RunDir(folder / "run", {"data": "drawn"}, resume=resume) if records else None
    monitor = Monitor(net, loss, optimizer, every=4, run=sink or ())
    saver = Checkpointer(folder / "kept", every_steps=4, best={"val_accuracy": "max"})
    if stop is not None:
        forward, left = net.forward, iter(range(stop))

        def pulled(x, *, training, **side):
            if training and next(left, None) is None:
                raise PlugError
            return forward(x, training=training, **side)

        net.forward = pulled
    batches = {"train": Batches(train, 16, backend="reference"), "val": Batches(val, 30, backend="reference")}
    more = {"schedule": Cosine(0.01, steps=27), "checkpointer": saver, "resume": resume, "monitor": monitor}
    with sink or nullcontext():
        return net, fit(net, loss, optimizer, batches["train"], epochs=3, val=batches["val"], **more)


def told(history):
    """All but times."""
    looks = [replace(look, samples_per_second=None, memory_mb=None) for look in history.looks]
    return history.losses, history.lrs, looks, [replace(e, seconds=None) for e in history.epochs], history.events


@pytest.mark.parametrize("stop", [4, 7, 9, 10, 20, 26])
def test_it_goes_on_as_if_nothing_had_happened(tmp_path, stop):
    net, history = run(tmp_path / "whole")
    with pytest.raises(PlugError):
        run(tmp_path / "cut", stop=stop)
    again, resumed = run(tmp_path / "cut", resume=True)
    assert again.parameters.flat.tobytes() == net.parameters.flat.tobytes()
    assert (resumed.losses, resumed.lrs) == (history.losses, history.lrs)
    assert [look.step for look in resumed.looks] == [look.step for look in history.looks]
    files = [read_run(tmp_path / name / "run") for name in ("whole", "cut")]
    assert told(files[0]) == told(files[1])
    assert files[0].end == files[1].end
    assert not files[1].notes


def test_what_is_a_spike_is_known_from_the_losses_before(tmp_path):
    """The detector's memory is among what is kept: a loss that stands out right after the resumption is seen."""

    def monitor():
        net = Network([Dense(2)], (3,), backend="reference")
        return net, Monitor(net, SoftmaxCrossEntropy(), SGD(0.1), every=10**6)

    def steps(monitor, losses):
        for value in losses:
            monitor.step(np.zeros((1, 3)), np.zeros(1, int), np.zeros((1, 2)), value)

    net, first = monitor()
    steps(first, np.linspace(1.0, 1.1, 120))
    saver = Checkpointer(tmp_path)
    saver.save(saver.begin(net), monitor=KeptMonitor(first))
    net, second = monitor()
    saver.resume(net, monitor=KeptMonitor(second))
    steps(second, [50.0])
    assert [(event.what, event.step) for event in second.history.events] == [("spike", 121)]


def test_without_a_run_folder_the_history_begins_there(tmp_path):
    net, _ = run(tmp_path / "whole")
    with pytest.raises(PlugError):
        run(tmp_path / "cut", stop=14, records=False)
    again, resumed = run(tmp_path / "cut", resume=True, records=False)
    assert again.parameters.flat.tobytes() == net.parameters.flat.tobytes()
    assert [epoch.epoch for epoch in resumed.epochs] == [2, 3]


def test_what_it_keeps(tmp_path):
    _, history = run(tmp_path)
    saver = Checkpointer(tmp_path / "kept", best={"val_accuracy": "max"})
    best = saver.best("val_accuracy")
    assert best.metrics["val_accuracy"] == max(m.accuracy for _, m in history.measured("val"))
    assert best.facts["optimizer"] == repr(Adam(0.01))
    assert saver.latest().at == (4, 0, 27)


def test_wrong_use(tmp_path):
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        run(tmp_path / "none", resume=True)
    run(tmp_path / "one")
    with pytest.raises(CheckpointError, match="other settings"):
        run(tmp_path / "one", resume=True, optimizer=SGD(0.1))
