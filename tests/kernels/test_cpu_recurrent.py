"""The recurrent kernels beside the reference: in parts, on NaN, on empty batches, and the same to the bit each time."""

import importlib

import numpy as np
import pytest

from scratchnet import GRU, LSTM, RNN, Network
from scratchnet.core import ConfigError, ShapeError
from scratchnet.core.run import Pool, Run

LAYERS = [LSTM(10), GRU(10, reverse=True), RNN(10), RNN(10, nonlinearity="relu", bias=False), LSTM(10, last=True)]
every_layer = pytest.mark.parametrize("layer", LAYERS, ids=repr)


def step(layer, backend, dtype="float64", spoil=lambda x, net: None, shape=(13, 5, 7)):
    """y, dx and the gradients of a step, whose numbers are the same in every type."""
    net = Network([layer], shape[1:], seed=1, backend=backend, dtype=dtype)
    rng = np.random.default_rng(2)
    x = rng.normal(size=shape).astype(np.float32).astype(dtype)
    net.parameters.flat[...] = net.parameters.flat.astype(np.float32)
    spoil(x, net)
    y, tape = net.forward(x, training=True)
    dy = rng.normal(size=y.shape).astype(np.float32).astype(dtype)
    y = y.copy()
    dx = net.backward(dy, tape, need_dx=True)
    return {"y": y, "x": dx.copy(), **net.gradients.snapshot()}


@pytest.fixture
def in_parts(monkeypatch):
    for name in ("rnn", "lstm", "gru", "_recurrent"):
        module = importlib.import_module(f"scratchnet_kernels.cpu.{name}")
        monkeypatch.setattr(module, "threads", lambda flops: 3)


@every_layer
@pytest.mark.parametrize("shape", [(13, 5, 7), (2, 3, 40)])  # of two samples, a part or two have none
@pytest.mark.usefixtures("in_parts")
def test_in_parts(layer, shape):
    first, second = (step(layer, "cpu", "float32", shape=shape) for _ in range(2))
    for name, expected in step(layer, "reference", shape=shape).items():
        scale = max(1.0, np.abs(expected).max())
        np.testing.assert_allclose(first[name], expected, rtol=0, atol=2e-5 * scale, err_msg=name)
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


def in_x(x, net):
    x[1, 2, 3] = np.nan


def in_W_ih(x, net):
    net.parameters.views["0.W_ih"][3, 2] = np.nan


def in_W_hh(x, net):
    net.parameters.views["0.W_hh"][3, 2] = np.nan


@every_layer
@pytest.mark.parametrize("spoil", [in_x, in_W_ih, in_W_hh])
def test_nan_goes_where_it_goes_in_the_reference(layer, spoil):
    expected, actual = (step(layer, backend, spoil=spoil) for backend in ("reference", "cpu"))
    assert np.isnan(expected["y"]).any()
    for name in expected:
        np.testing.assert_allclose(actual[name], expected[name], rtol=1e-9, atol=1e-12, err_msg=name)


@every_layer
def test_large_inputs_saturate(layer):
    if layer == LAYERS[3]:
        return  # max(a, 0) has no end to reach
    y = step(layer, "cpu", "float32", spoil=lambda x, net: np.multiply(x, 1e4, out=x))["y"]
    assert np.isfinite(y).all()
    assert np.abs(y).max() <= 1


@every_layer
@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_empty_batch(layer, backend):
    net = Network([layer], (5, 7), backend=backend)
    run = Run(Pool(), training=True, count=net.count)
    run.need_dx = True
    p, g = net.parameters.views.scope("0"), net.gradients.views.scope("0")
    y, saved = layer.forward(net.k, p, np.zeros((0, 5, 7), np.float32), run)
    dx = layer.backward(net.k, p, g, saved, np.zeros(y.shape, np.float32), run)
    assert y.shape == (0, *net.output_shape)
    assert dx.shape == (0, 5, 7)
    assert not net.gradients.flat.any()


@pytest.mark.parametrize("make", [LSTM, GRU, RNN])
def test_refusals(make):
    with pytest.raises(ConfigError, match="hidden"):
        make(0)
    for shape in [(4,), (2, 3, 4), (0, 4)]:
        with pytest.raises(ShapeError, match="T, features"):
            Network([make(3)], shape)


def test_unknown_nonlinearity():
    with pytest.raises(ConfigError, match=r"tanh \| relu"):
        RNN(3, nonlinearity="sigmoid")
