"""Training is the same to the bit with a monitor and without one, and an idle step costs no memory."""

import tracemalloc

import numpy as np
import pytest

import scratchnet as sn
from scratchnet import SGD, Adam, Dense, Network, ReLU, SoftmaxCrossEntropy
from scratchnet.data import Batches, Split
from scratchnet.train import Monitor
from tests.train.loops import batch, train

NETS = {
    "mlp": lambda: [Dense(8), ReLU(), Dense(3)],
    "all sorts": lambda: [
        *(sn.Reshape((1, 6, 6)), sn.Conv2d(4, 3, padding=1), ReLU(), sn.MaxPool2d(2), sn.BatchNorm2d()),
        sn.Residual(sn.Sequential(sn.Conv2d(4, 3, padding=1), sn.BatchNorm2d(), ReLU()), sn.Conv2d(4, 1)),
        *(sn.Parallel(sn.Conv2d(2, 1), sn.Conv2d(2, 3, padding=1)), sn.Dropout(0.4)),
        *(sn.Flatten(), Dense(9), sn.Sigmoid(), sn.BatchNorm1d(), Dense(8), sn.Tanh(), sn.Dropout(0.2), Dense(3)),
    ],
    "sequence": lambda: [
        *(sn.Reshape((9, 4)), sn.PositionalEmbedding(9), sn.Residual(sn.MultiHeadAttention(2)), sn.LayerNorm()),
        *(sn.LSTM(5), sn.Dropout(0.3), sn.GRU(4, last=True), Dense(3)),
    ],
}


def batches(n, shape=(36,), dtype="float32"):
    """Batches of one size, with a ragged one at times."""
    return [batch(shape, n=16 if i % 7 else 5, seed=i, dtype=dtype) for i in range(n)]


def state(net):
    return [net.parameters.flat, net.gradients.flat, net.buffers.flat, net.count]


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("settings", [
    {}, {"fuse": False}, {"dtype": "float64"}, {"backend": "reference"}, {"backend": "reference", "dtype": "float64"}
], ids=str)  # fmt: skip
@pytest.mark.parametrize("every", [1, 3])
def test_bit_identity(name, settings, every):
    nets = [Network(NETS[name](), (36,), seed=3, **settings) for _ in range(2)]
    data = batches(9 if settings.get("backend") == "reference" else 30)
    optimizer = Adam(0.01)
    (_, plain), (monitor, watched) = (
        train(net, data, optimizer=optimizer, watch=watch, every=every)
        for net, watch in zip(nets, (False, True), strict=True)
    )
    assert plain == watched
    for a, b in zip(*map(state, nets), strict=True):
        assert np.array_equal(a, b)
    a, b = (net.optimizer_state(optimizer) for net in nets)
    assert a.steps == b.steps
    assert all(np.array_equal(a.stores[slot].flat, b.stores[slot].flat) for slot in a.stores)
    assert len(monitor.history.looks) >= len(data) // every
    assert monitor.history.losses == plain


def test_bit_identity_is_not_vacuous():
    """A monitor that moved a buffer or the count would be seen: here one is moved by hand."""
    nets = [Network(NETS["all sorts"](), (36,), seed=3) for _ in range(2)]
    data = batches(4)
    train(nets[0], data)
    train(nets[1], data[:2])
    nets[1].count += 1  # other dropout masks from here on
    train(nets[1], data[2:])
    assert not np.array_equal(nets[0].parameters.flat, nets[1].parameters.flat)


def test_replayed_steps_stay_replayed():
    net = Network(NETS["mlp"](), (36,))
    train(net, [batch((36,), n=16)] * 8)
    current = net._replays._current
    assert current is not None
    assert current.ready


def test_the_loader_gets_its_batches_back():
    x, y = batch((36,), n=64)
    loader = Batches(Split("train", x, y), 16, scale=1.0)
    net = Network(NETS["mlp"](), (36,))
    train(net, (pair for epoch in range(6) for pair in loader.epoch(epoch)))
    assert len(loader._ring._slabs) <= 3  # the loop holds one, the generator another


def test_a_kept_tape_outlives_a_look():
    x, y = batch((36,))
    net, loss = Network(NETS["all sorts"](), (36,)), SoftmaxCrossEntropy()
    monitor = Monitor(net, loss, SGD(0.0), every=1)
    logits, tape = net.forward(x, training=True)
    value, dlogits = loss(logits, y, tape)
    net.backward(dlogits, tape, keep=True)
    once, kept = net.gradients.flat.copy(), logits.copy()
    with monitor.step(x, y, logits, value):
        pass
    assert np.array_equal(logits, kept)
    net.zero_grad()
    net.backward(dlogits, tape)
    assert np.array_equal(net.gradients.flat, once)


def test_an_idle_step_allocates_little():
    x, y = batch((784,), n=256, classes=10)
    net, loss, optimizer = Network([Dense(128), ReLU(), Dense(10)], (784,)), SoftmaxCrossEntropy(), SGD(0.01)
    monitor = Monitor(net, loss, optimizer, every=1000)

    def step():
        logits, tape = net.forward(x, training=True)
        value, dlogits = loss(logits, y, tape)
        net.zero_grad()
        net.backward(dlogits, tape)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        with monitor.step(x, y, logits, value):
            optimizer.step(net)
        return tracemalloc.get_traced_memory()[1] - before

    tracemalloc.start()
    try:
        taken = [step() for _ in range(60)]
    finally:
        tracemalloc.stop()
    assert max(taken[i] for i in range(60) if i + 1 not in (1, 2, 3, 5, 10, 20, 50)) < 16 * 1024
    assert taken[0] > 256 * 128 * 4  # the measurement sees a look
