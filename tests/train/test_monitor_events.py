"""What a monitor tells of a run that breaks: where the first value that is not finite arose, and spikes."""

import math

import numpy as np
import pytest

from scratchnet import SGD, Dense, ReLU, SoftmaxCrossEntropy
from scratchnet.core import Zeros
from scratchnet.train import Monitor
from scratchnet.train.watch.spikes import Spikes
from tests.train.loops import batch, net_of, train


def events(monitor):
    return [(e.step, e.what, e.where) for e in monitor.history.events]


def test_non_finite_inputs():
    x, y = batch()
    bad = x.copy()
    bad[3, 2] = np.nan
    with np.errstate(invalid="ignore"):
        monitor, _ = train(net_of(), [(x, y)] * 6 + [(bad, y)] * 3, every=100)
    assert events(monitor) == [(7, "nonfinite", "inputs")]
    assert monitor.history.looks[-1].step == 7  # at once, and once
    assert monitor.history.looks[-1].inputs.nonfinite == 1
    assert math.isnan(monitor.history.events[0].value)


def test_a_forward_that_overflows():
    x, y = batch()
    net = net_of(Dense(8), ReLU(), Dense(8), Dense(3))
    net.parameters.views["2.W"][...] = 1e38
    with np.errstate(all="ignore"):
        monitor, _ = train(net, [(10 * x, y)] * 2, every=100)
    assert events(monitor) == [(1, "nonfinite", "2 forward")]
    assert "Dense(8)" in monitor.history.events[0].message
    assert monitor.history.looks[0].layers[2].forward > 0
    assert monitor.history.looks[0].layers[1].forward == 0


def test_parameters_that_an_update_destroyed():
    net = net_of()
    with np.errstate(all="ignore"):
        monitor, _ = train(net, [batch()] * 6, every=100)
        net.parameters.views["2.W"][0, 0] = np.inf
        x, y = batch()
        logits, _ = net.forward(x, training=True)
        monitor.step(x, y, logits, math.nan)
    assert events(monitor) == [(7, "nonfinite", "2.W")]


def test_a_backward_that_overflows_under_a_finite_loss():
    x, _ = batch(n=1)
    net = net_of(Dense(8), ReLU(), Dense(8, init=Zeros()), Dense(3))
    net.parameters.views["3.W"][...] = np.array([[3e38], [3e38], [-3e38]])  # softmax − onehot is (1/3, 1/3, −2/3)
    with np.errstate(all="ignore"):
        monitor, losses = train(net, [(x, np.array([2]))], optimizer=SGD(0.0))
    assert losses == [pytest.approx(math.log(3))]
    assert events(monitor) == [(1, "nonfinite", "2 backward")]
    assert monitor.history.looks[0].layers[2].backward == 8


def test_a_gradient_that_only_the_loop_spoiled():
    x, y = batch()
    net, loss = net_of(), SoftmaxCrossEntropy()
    monitor = Monitor(net, loss, SGD(0.1))
    logits, tape = net.forward(x, training=True)
    value, dlogits = loss(logits, y, tape)
    net.backward(dlogits, tape)
    net.gradients.views["2.b"][1] = np.inf
    monitor.step(x, y, logits, value)
    assert events(monitor) == [(1, "nonfinite", "2.b gradient")]


def test_a_loss_that_is_not_finite_by_itself_and_heals():
    net = net_of()
    monitor, _ = train(net, [batch()] * 5)
    (x, y), told = batch(), []
    for value in (math.inf, math.inf, 1.0, math.nan):
        logits, _ = net.forward(x, training=True)
        monitor.step(x, y, logits, value)
        told.append(len(monitor.history.events))
    assert told == [1, 1, 1, 2]
    assert events(monitor) == [(6, "nonfinite", "loss"), (9, "nonfinite", "loss")]


def test_a_spike_in_a_run():
    rng = np.random.default_rng(0)
    x, y = batch(n=400)
    net = net_of()
    draws = [rng.choice(400, 64) for _ in range(120)]
    data = [(x[i], y[i]) for i in draws]
    data[100] = (60 * data[100][0], data[100][1])
    monitor, losses = train(net, data, every=1000)
    assert events(monitor) == [(101, "spike", None)]
    assert monitor.history.events[0].value == losses[100]


@pytest.mark.parametrize("noise", [0.05, 0.5, 2.0])  # 2.0: single samples, whose losses lie far apart
def test_noise_is_no_spike(noise):
    rng = np.random.default_rng(1)
    spikes = Spikes()
    trend = np.exp(-np.arange(5000) / 1000)
    assert not any(spikes.add(float(v)) for v in trend * np.exp(noise * rng.normal(size=5000)))


def test_a_spike_is_told_once_and_again_later():
    spikes, rng = Spikes(), np.random.default_rng(0)
    values = np.exp(0.1 * rng.normal(size=600))
    values[200:210] = 50
    values[500] = 9
    values[550:560] = -1  # no logarithm: no word
    assert [i for i, v in enumerate(values.tolist()) if spikes.add(v)] == [200, 500]
