"""The summary against what a step really does."""

import numpy as np
import pytest

from scratchnet import Dense, Network, ReLU
from scratchnet.core.errors import ConfigError
from scratchnet.layers import BatchNorm2d, Conv2d, Flatten, MaxPool2d, Residual, Sequential

LAYERS = (
    Conv2d(4, 3, padding=1),
    ReLU(),
    MaxPool2d(2),
    Residual(Sequential(Conv2d(4, 3, padding=1), BatchNorm2d(), ReLU())),
    Flatten(),
    Dense(10),
)


def net():
    return Network(list(LAYERS), (1, 8, 8), seed=0)


def test_shapes_parameters_and_arithmetic():
    summary = net().summary(3)
    assert [row.out_shape for row in summary.rows] == [(4, 8, 8), (4, 8, 8), (4, 4, 4), (4, 4, 4), (64,), (10,)]
    assert [row.parameters for row in summary.rows] == [40, 0, 0, 148 + 8, 0, 650]
    assert summary.parameters == net().parameter_count
    assert summary.rows[5].forward == 2 * 3 * 64 * 10
    assert summary.rows[5].backward == 2 * summary.rows[5].forward


def test_kept_is_what_a_forward_leases():
    made = net()
    x = np.random.default_rng(0).normal(size=(3, 1, 8, 8)).astype(np.float32)
    logits, tape = made.forward(x, training=True)
    forward = sum(slab.nbytes for slab in tape.run.leased)
    assert made.summary(3).kept == forward
    made.backward(np.ones_like(logits), tape, keep=True)
    assert made.summary(3).passed == sum(slab.nbytes for slab in tape.run.leased) - forward


def test_memory_grows_with_the_batch_and_parameters_do_not():
    one, two = net().summary(8), net().summary(16)
    assert two.parameter_bytes == one.parameter_bytes
    assert 1.9 < two.kept / one.kept <= 2


def test_it_reads_well():
    text = str(Network([Dense(128), ReLU(), Dense(10)], (784,)).summary(128))
    assert "Dense(128)" in text
    assert "101,770" in text
    assert max(map(len, str(net().summary(4)).splitlines()[:-1])) <= 120


@pytest.mark.parametrize("size", [0, -1, 2.0, "8"])
def test_a_batch_of_nothing(size):
    with pytest.raises(ConfigError, match="batch size"):
        net().summary(size)
