"""Dropout in a network: when it drops, what keys it, and that backward sees the forward's mask."""

import numpy as np
import pytest

from scratchnet import Network, Sequential
from scratchnet.core.errors import ConfigError
from scratchnet.layers.dropout import Dropout

X = np.ones((8, 50))


def network(*layers, seed=0, backend="cpu", dtype="float64"):
    return Network(Sequential(*layers), (50,), seed=seed, backend=backend, dtype=dtype)


def mask(net):
    y, tape = net.forward(X.astype(net.dtype), training=True)
    tape.release()
    return y != 0


@pytest.mark.parametrize("layer", [Dropout(0.5), Dropout(0.0)])
def test_what_drops_nothing_returns_the_array_itself(layer):
    net = network(layer)
    y, tape = net.forward(X, training=layer.rate == 0)
    assert y is X
    dy = np.full_like(X, 2.0)
    assert net.backward(dy, tape, need_dx=True) is dy


def test_backward_draws_the_mask_of_its_own_forward():
    net = network(Dropout(0.5))
    y1, tape1 = net.forward(X, training=True)
    y2, tape2 = net.forward(X, training=True)
    assert (y1 != y2).any()
    for y, tape in ((y1, tape1), (y2, tape2)):
        np.testing.assert_array_equal(net.backward(X, tape, need_dx=True), y)


def test_no_mask_is_stored():
    net = network(Dropout(0.5))
    _, tape = net.forward(X, training=True)
    assert [saved.seen.size for saved in tape.saved.children] == [1]


def test_seed_forward_and_place_each_change_the_mask():
    first = mask(network(Dropout()))
    np.testing.assert_array_equal(mask(network(Dropout())), first)
    assert (mask(network(Dropout(), seed=1)) != first).any()
    net = network(Dropout())
    assert (mask(net) == first).all()
    assert (mask(net) != first).any()
    both = mask(network(Dropout(), Dropout()))
    assert 0.15 < both.mean() < 0.35  # a quarter, were the two masks independent; a half, were they the same


@pytest.mark.parametrize("dtype", ["float32", "complex128", "object"])
def test_one_mask_on_every_backend_and_element_type(dtype):
    expected = mask(network(Dropout(0.3), backend="reference"))
    np.testing.assert_array_equal(mask(network(Dropout(0.3))), expected)
    np.testing.assert_array_equal(mask(network(Dropout(0.3), backend="reference", dtype=dtype)), expected)


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_rate_is_a_probability(rate):
    with pytest.raises(ConfigError, match=r"probability|is a number"):
        Dropout(rate)
