"""In steady state a training step allocates no array above 64 KiB."""

import os
import tracemalloc

import numpy as np
import pytest

from scratchnet import *  # noqa: F403
from scratchnet import SGD, Dense, Network, ReLU, SoftmaxCrossEntropy

LIMIT = 64 * 1024


def peak_of_a_step(net, x, t, optimizer):
    """Bytes by which memory rises at most within one step in steady state."""
    loss = SoftmaxCrossEntropy()

    def step():
        logits, tape = net.forward(x, training=True)
        value, dlogits = loss(logits, t, tape)
        net.zero_grad()
        net.backward(dlogits, tape)
        optimizer.step(net)
        return float(value)

    for _ in range(3):
        step()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        step()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    return rng.random((256, 784), np.float32), rng.integers(0, 10, 256)


def test_mlp(batch):
    net = Network([Dense(128), ReLU(), Dense(10)], (784,), backend="cpu")
    assert peak_of_a_step(net, *batch, SGD(0.1, momentum=0.9)) < LIMIT


def test_the_measurement_sees_a_large_array(batch):
    net = Network([Dense(128), ReLU(), Dense(10)], (784,), backend="reference")  # which makes temporaries
    assert peak_of_a_step(net, *batch, SGD(0.1)) > LIMIT


def test_debug_poison_is_on_in_tests():
    assert os.environ["SCRATCHNET_DEBUG"] == "1"
