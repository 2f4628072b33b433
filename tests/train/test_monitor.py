"""When a monitor looks, what it writes, and how a run ends."""

import io
import math

import numpy as np
import pytest

from scratchnet import SGD, Dense, SoftmaxCrossEntropy
from scratchnet.core import ConfigError, TargetError
from scratchnet.train import Counts, Monitor, Report
from scratchnet.train.history.records import End, Event, Look, Losses, Measured
from tests.train.loops import batch, net_of, train


class List(list):
    """A sink."""

    write = list.append


def test_when_it_looks():
    monitor, losses = train(net_of(), [batch()] * 230, every=100)
    assert [look.step for look in monitor.history.looks] == [1, 2, 3, 5, 10, 20, 50, 100, 200]
    assert monitor.history.losses == losses
    assert monitor.history.lrs == [0.1] * 230
    assert monitor.history.looks[0].samples_per_second is None
    assert all(look.samples_per_second > 0 for look in monitor.history.looks[2:])


def test_sinks_get_every_record_in_order():
    one, two = List(), List()
    monitor, _ = train(net_of(), [batch()] * 4, every=2, run=(one, two))
    monitor.close()
    assert one == two
    kinds = [type(record).__name__ for record in one]
    assert kinds == ["Losses", "Look"] * 4 + ["Epoch", "End"]
    assert [(r.first, len(r.values)) for r in one if isinstance(r, Losses)] == [(1, 1), (2, 1), (3, 1), (4, 1)]
    assert monitor.history.end == one[-1]


def test_a_step_without_its_context_is_written_without_an_update():
    net, loss = net_of(), SoftmaxCrossEntropy()
    (x, y), monitor = batch(), Monitor(net, loss, SGD(0.1), every=1)
    for _ in range(2):
        logits, tape = net.forward(x, training=True)
        value, dlogits = loss(logits, y, tape)
        net.backward(dlogits, tape)
        monitor.step(x, y, logits, value, lr=0.3)
    monitor.close()
    assert [look.parameters["0.W"].update for look in monitor.history.looks] == [None, None]
    assert [look.lr for look in monitor.history.looks] == [0.3, 0.3]
    assert monitor.history.end.fired["update"] == 0


def test_epochs():
    monitor, _ = train(net_of(), [batch(n=8)] * 3 + [batch(n=5)], epoch=False)
    counts = Counts(3)
    counts.add(np.eye(3), np.array([0, 1, 1]), 0.5)
    monitor.epoch(1, train=counts, val=None, test=Measured(loss=2.0))
    monitor.epoch(2, train=Counts(3))
    first, second = monitor.history.epochs
    assert (first.batches, first.samples, first.forwards, first.lr) == (4, 29, 4, 0.1)
    matrix = ((1, 0, 0), (0, 1, 1), (0, 0, 0))
    assert first.splits == {
        "train": Measured(loss=0.5, accuracy=2 / 3, correct=2, top5=3, total=3, matrix=matrix),
        "test": Measured(loss=2.0),
    }
    assert (second.batches, second.samples, second.lr) == (0, 0, None)
    assert (second.splits["train"].total, second.splits["train"].accuracy) == (0, None)


def test_forwards_tell_of_evaluations_in_training_mode():
    net = net_of()
    monitor, _ = train(net, [batch()] * 3, epoch=False)
    net.forward(batch()[0], training=True)
    monitor.epoch(1)
    assert monitor.history.epochs[0].forwards == 4


def test_ends():
    monitor, _ = train(net_of(), [batch()])
    monitor.close()
    monitor.close(ValueError("too late"))
    assert (monitor.history.end.how, monitor.history.end.message, monitor.history.end.steps) == ("finished", None, 1)
    for error, how in ((KeyboardInterrupt(), "interrupted"), (ValueError("no such thing"), "stopped")):
        with pytest.raises(type(error)), Monitor(net_of(), SoftmaxCrossEntropy(), SGD(0.1)) as monitor:
            raise error
        assert monitor.history.end.how == how
        assert str(error) in monitor.history.end.message


def test_an_update_that_raises_is_the_end():
    x, y = batch()
    net, loss, sink = net_of(), SoftmaxCrossEntropy(), List()
    monitor = Monitor(net, loss, SGD(0.1), run=sink)
    logits, tape = net.forward(x, training=True)
    value, dlogits = loss(logits, y, tape)
    net.backward(dlogits, tape)
    with pytest.raises(ConfigError), monitor.step(x, y, logits, value):
        SGD(0.1).step(net, lr=math.nan)
    monitor.close()
    assert [type(record) for record in sink] == [Losses, Look, End]
    assert sink[1].parameters["0.W"].update is None
    assert (sink[2].how, "learning rate" in sink[2].message) == ("stopped", True)


def test_close_in_an_except_block_knows_why():
    monitor = Monitor(net_of(), SoftmaxCrossEntropy(), SGD(0.1))
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt:
        monitor.close()
    assert monitor.history.end.how == "interrupted"


def test_a_monitor_that_never_fired_says_so():
    out = io.StringIO()
    monitor = Monitor(net_of(), SoftmaxCrossEntropy(), SGD(0.1), report=Report(file=out))
    monitor.close()
    assert monitor.history.end.fired == dict.fromkeys(("data", "look", "update", "epoch", "spike", "nonfinite"), 0)
    said = " ".join(out.getvalue().split())
    assert "has not seen the data (monitor.data), nor any step" in said
    quiet = io.StringIO()
    monitor, _ = train(net_of(), [batch()], report=Report(file=quiet))
    monitor.data(train=batch())
    monitor.close()
    assert quiet.getvalue() == ""


def test_labels_out_of_range_do_not_break_the_monitor():
    x, y = batch()
    y[2] = 7
    net, loss = net_of(), SoftmaxCrossEntropy()
    monitor = Monitor(net, loss, SGD(0.1))
    monitor.data(train=(x, y))
    logits, _ = net.forward(x, training=True)
    monitor.step(x, y, logits, 1.0)  # the loop's loss would have raised
    monitor.close()
    look = monitor.history.looks[0]
    assert (look.outside, sum(look.class_counts), look.parameters["0.W"].fresh) == (1, 23, None)
    assert (monitor.history.data["train"].label_maximum, look.layers[0].gradient) == (7, None)
    with pytest.raises(TargetError), Monitor(net, loss, SGD(0.1)) as monitor:
        loss(logits, y)
    assert "out of range" in monitor.history.end.message


def test_refusals():
    for every in (0, 1.5, True):
        with pytest.raises(ConfigError, match="every so many steps"):
            Monitor(net_of(), SoftmaxCrossEntropy(), SGD(0.1), every=every)
    with pytest.raises(ConfigError, match="floats"):
        Monitor(net_of(backend="reference", dtype="complex128"), SoftmaxCrossEntropy(), SGD(0.1))


def test_the_configuration():
    net = net_of(Dense(4), Dense(4), Dense(3), shape=(4,), ties={"1.W": "0.W"}, seed=7)
    config = Monitor(net, SoftmaxCrossEntropy(), SGD(0.1)).history.config
    assert config["layers"] == ["Dense(4)", "Dense(4)", "Dense(3)"]
    assert (config["ties"], config["seed"], config["lr"], config["dtype"]) == ({"1.W": "0.W"}, 7, 0.1, "float32")
    assert isinstance(Event(step=1, what="x"), Event)
