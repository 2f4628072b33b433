"""In steady state a training step allocates no array above 64 KiB."""

import os
import tracemalloc

import numpy as np
import pytest

import scratchnet as sn
from scratchnet import SGD, Dense, Network, ReLU, SoftmaxCrossEntropy

LIMIT = 64 * 1024


def peak_of_a_step(net, x, t, optimizer, need_dx=False):
    """Bytes by which memory rises at most within one step in steady state."""
    loss = SoftmaxCrossEntropy()

    def step():
        logits, tape = net.forward(x, training=True)
        value, dlogits = loss(logits, t, tape)
        net.zero_grad()
        net.backward(dlogits, tape, need_dx=need_dx)
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


IMAGE_NETS = {
    "cnn": [sn.Conv2d(8, 3, padding="same"), sn.BatchNorm2d(), ReLU(), sn.MaxPool2d(2), sn.Dropout(0.2)],
    "strided": [sn.Conv2d(8, 5, stride=2, bias=False), sn.GroupNorm(2), sn.GELU(), sn.AvgPool2d(2)],
    "residual": [sn.Residual(sn.Conv2d(1, 3, padding="same")), sn.LayerNorm(), sn.SiLU()],
    "parallel": [sn.Parallel(sn.Conv2d(3, 1), sn.Conv2d(4, 3, padding=1)), sn.RMSNorm(), sn.LeakyReLU()],
    "transposed": [sn.Conv2d(4, 3, stride=3), sn.ConvTranspose2d(6, 3, stride=2, padding=1, output_padding=1)],
    "attention": [sn.Reshape((28, 28)), sn.PositionalEmbedding(28), sn.MultiHeadAttention(4, causal=True)],
    "sequence": [sn.Reshape((28, 28)), sn.PositionalEmbedding(30, "sinusoidal"), sn.Conv1d(20, 3, padding="same")],
    "recurrent": [sn.Reshape((28, 28)), sn.LSTM(24), sn.GRU(20, reverse=True), sn.RNN(20, last=True)],
    "activations": [sn.ELU(), sn.Sigmoid(), sn.Tanh(), sn.Softplus(), sn.Square(), sn.Softmax(axis=-1)],
}


@pytest.mark.parametrize("name", IMAGE_NETS)
def test_image_nets(batch, name):
    x, t = batch
    net = Network([*IMAGE_NETS[name], sn.Flatten(), Dense(10)], (1, 28, 28), backend="cpu")
    assert peak_of_a_step(net, x.reshape(-1, 1, 28, 28), t, sn.Adam()) < LIMIT


@pytest.mark.parametrize("given", ["float32", "float64"])  # float64 is cast into leased memory
def test_cross_attention(batch, given):
    x, t = batch
    x = sn.QueryMemory(x[:, :336].reshape(-1, 12, 28).astype(given), x[:, 336:].reshape(-1, 16, 28).astype(given))
    layers = [sn.Parallel(sn.MultiHeadAttention(4), sn.MultiHeadAttention(2), combine="sum"), sn.Flatten(), Dense(10)]
    net = Network(layers, sn.QueryMemory((12, 28), (16, 28)), backend="cpu")
    assert peak_of_a_step(net, x, t, sn.Adam(), need_dx=True) < LIMIT


@pytest.mark.parametrize("optimizer", [sn.AdamW(), sn.RMSprop(momentum=0.5, centered=True), SGD(0.1, 0.9, True, 0.1)])
def test_optimizers(batch, optimizer):
    net = Network([Dense(128), ReLU(), Dense(10)], (784,), backend="cpu")
    assert peak_of_a_step(net, *batch, optimizer) < LIMIT


def test_the_measurement_sees_a_large_array(batch):
    net = Network([Dense(128), ReLU(), Dense(10)], (784,), backend="reference")  # which makes temporaries
    assert peak_of_a_step(net, *batch, SGD(0.1)) > LIMIT


def test_debug_poison_is_on_in_tests():
    assert os.environ["SCRATCHNET_DEBUG"] == "1"
