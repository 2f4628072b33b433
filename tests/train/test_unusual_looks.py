"""What a look says of what is unusual: gradients that the loop spoiled, weights alike, inputs of other kinds."""

import math

import numpy as np
import pytest

import scratchnet as sn
from scratchnet import SGD, Dense, Network, ReLU, SoftmaxCrossEntropy
from scratchnet.core import Constant, Normal, Zeros
from scratchnet.train import Monitor
from tests.train.loops import batch, looked, train

CLOSE = pytest.approx


@pytest.mark.parametrize(("fault", "ratio", "cosine"), [
    ("sign", 1, -1), ("scale", 7, 1), ("twice", 2, 1), ("zero", 0, None)
])  # fmt: skip
def test_the_loops_gradient_beside_the_fresh_one(fault, ratio, cosine):
    x, y = batch()
    net, loss, optimizer = Network([Dense(8), ReLU(), Dense(3)], (6,)), SoftmaxCrossEntropy(), SGD(0.1)
    monitor = Monitor(net, loss, optimizer)
    logits, tape = net.forward(x, training=True)
    value, dlogits = loss(logits, y, tape)
    net.backward(dlogits * {"sign": -1, "scale": 7}.get(fault, 1), tape, keep=True)
    if fault == "twice":
        net.backward(dlogits, tape)
    if fault == "zero":
        net.zero_grad()
    with monitor.step(x, y, logits, value):
        optimizer.step(net)
    for look in monitor.history.looks[0].parameters.values():
        assert look.ratio == CLOSE(ratio, rel=1e-5)
        assert look.cosine == (None if cosine is None else CLOSE(cosine, rel=1e-5))


def test_alike_frozen_and_tied():
    x, y = batch((8,))
    alike = Dense(8, init=Constant(0.5))
    layers = [alike, ReLU(), Dense(8, init=Normal(0.1)), Dense(3)]
    net = Network(layers, (8,), ties={"2.W": "0.W"})
    net.parameters.freeze("3")
    monitor, _ = train(net, [(x, y)])
    found = monitor.history.looks[0].parameters
    assert "2.W" not in found
    assert (found["0.W"].alike, found["0.W"].input) == (1.0, None)  # one gradient of two layers has no two factors
    assert (found["3.W"].frozen, found["3.W"].update) == (True, 0.0)
    assert found["3.W"].gradient > 0
    assert not found["0.b"].frozen


def test_some_units_alike():
    x, y = batch()
    net = Network([Dense(8), ReLU(), Dense(3)], (6,))
    W = net.parameters.views["0.W"]
    W[3], W[5] = W[1], W[1]
    W[6, 0] = W[0, 0]  # begins alike, and is not
    monitor, _ = train(net, [(x, y)])
    assert monitor.history.looks[0].parameters["0.W"].alike == 3 / 8


def test_saturation_and_normalised_outputs():
    x, y = batch((6,), n=64)
    layers = [Dense(20, init=Normal(3)), sn.Sigmoid(), Dense(20, init=Normal(3)), sn.Tanh(), Dense(3), sn.Softmax()]
    look, _ = looked(layers, x, y)
    one, two = (net.predict(x) for net in (Network(layers[:2], (6,)), Network(layers[:4], (6,))))
    assert look.layers[1].saturated == ((one < 0.01) | (one > 0.99)).mean() > 0.1
    assert look.layers[3].saturated == (abs(two) > 0.98).mean() > 0.1
    assert look.layers[0].saturated is None
    assert look.outputs.normalised


def test_never_accumulates_and_dead_does_not():
    net = Network([Dense(2, init=Constant(0)), ReLU(), Dense(3)], (2,))
    net.parameters.views["0.W"][...] = np.eye(2)
    net.parameters.freeze("0")
    y = np.array([0, 1])
    one, two = (np.array([row, row], np.float32) for row in ([1, -1], [-1, -1]))
    monitor, _ = train(net, [(two, y), (one, y), (two, y)])
    assert [look.layers[1].dead for look in monitor.history.looks] == [1, 0.5, 1]
    assert [look.layers[1].never for look in monitor.history.looks] == [1, 0.5, 0.5]


def test_a_regression_has_no_outputs():
    x, _ = batch()
    look, _ = looked([Dense(3)], x, np.zeros((24, 3), np.float32), loss=sn.MSE())
    assert (look.outputs, look.class_counts, look.outside) == (None, None, None)
    assert look.parameters["0.W"].ratio == CLOSE(1)


def test_indices_and_named_inputs_have_no_range():
    ids = np.random.default_rng(0).integers(0, 9, (8, 4))
    look, _ = looked([sn.Embedding(9, 5), sn.LSTM(4, last=True), Dense(3)], ids, np.arange(8) % 3)
    assert look.inputs is None
    assert (look.parameters["0.W"].fan_in, look.parameters["0.W"].alike) == (None, None)
    x = sn.QueryMemory(*(batch((t, 4), n=8)[0] for t in (3, 5)))
    net = {"input_shape": sn.QueryMemory((3, 4), (5, 4))}
    look, _ = looked([sn.MultiHeadAttention(2), sn.Flatten(), Dense(3)], x, np.arange(8) % 3, net=net)
    assert look.inputs is None
    assert look.parameters["0.in_proj.W"].ratio == CLOSE(1)


def test_probabilities_as_targets_and_labels_to_ignore():
    x, y = batch()
    soft = np.full((24, 3), 0.1, np.float32)
    soft[np.arange(24), y] = 0.8
    look, _ = looked([Dense(3)], x, soft)
    assert look.outputs.loss == CLOSE(look.loss, rel=1e-6)
    assert look.class_counts == tuple(np.bincount(y))
    y[:4] = -100
    look, _ = looked([Dense(3)], x, y)
    assert (sum(look.class_counts), look.outside) == (20, 0)
    assert look.outputs.loss == CLOSE(look.loss, rel=1e-6)


def test_side_inputs_reach_the_probe():
    x, y = batch((5, 4), n=8)
    mask = np.arange(5) < np.arange(1, 9)[:, None] % 5 + 1
    net = Network([sn.MultiHeadAttention(2), sn.Flatten(), Dense(3)], (5, 4))
    loss, optimizer = SoftmaxCrossEntropy(), SGD(0.1)
    monitor = Monitor(net, loss, optimizer)
    logits, tape = net.forward(x, training=True, mask=mask)
    value, dlogits = loss(logits, y, tape)
    net.backward(dlogits, tape)
    with monitor.step(x, y, logits, value, mask=mask):
        optimizer.step(net)
    assert monitor.history.looks[0].parameters["0.in_proj.W"].cosine == CLOSE(1)


def test_evaluation_mode_in_training_is_seen():
    x, y = batch((6,), n=16)
    layers = [Dense(8), sn.BatchNorm1d(), ReLU(), sn.Dropout(0.5), Dense(3)]
    modes = []
    for training in (True, False):
        monitor, _ = train(Network(layers, (6,)), [(x, y)] * 4, training=training)
        modes.append([look.training for look in monitor.history.looks])
        assert all(look.parameters["0.W"].cosine == CLOSE(1) for look in monitor.history.looks)
        assert monitor.history.epochs[0].forwards == (4 if training else 0)
    assert modes == [[True] * 4, [False] * 4]


def test_a_change_of_mode_is_seen_at_the_step():
    x, y = batch()
    net, loss, optimizer = Network([Dense(3)], (6,)), SoftmaxCrossEntropy(), SGD(0.1)
    monitor = Monitor(net, loss, optimizer, every=1)
    for training in (True, True, False, True, False):
        logits, tape = net.forward(x, training=training)
        value, dlogits = loss(logits, y, tape)
        net.backward(dlogits, tape)
        with monitor.step(x, y, logits, value):
            optimizer.step(net)
    assert [look.training for look in monitor.history.looks] == [True, True, False, True, False]


def test_zeros_everywhere():
    x, y = batch()
    look, _ = looked([Dense(8, init=Zeros()), ReLU(), Dense(3, init=Zeros())], x, y)
    assert (look.parameters["0.W"].ratio, look.parameters["0.W"].cosine, look.parameters["0.W"].alike) == (
        None,
        None,
        1,
    )
    assert (look.layers[0].dead, look.layers[1].gain) == (1, None)
    assert look.outputs.entropy == CLOSE(math.log(3))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_number_and_large_numbers(dtype):
    x = np.full((2, 1), 1e30, dtype)
    look, _ = looked([Dense(2)], x, np.array([0, 1]), net={"dtype": dtype})
    assert look.inputs.norm == CLOSE(1e30)
    assert (look.inputs.std, look.inputs.constant) == (CLOSE(0, abs=1e24), 1)
    assert look.parameters["0.W"].input == CLOSE(math.sqrt(2) * 1e30)


def test_a_spread_far_from_zero_keeps_its_digits():
    x = (1e4 + np.random.default_rng(0).normal(size=(50, 20))).astype(np.float32)
    look, _ = looked([Dense(2)], x, np.arange(50) % 2)
    assert look.inputs.std == CLOSE(x.std(dtype=np.float64), rel=1e-6)
