"""Initialisers: moments and bounds, fans, orthogonality, and that a seed and a name decide every number."""

import math

import numpy as np
import pytest

from scratchnet import Dense, Network, ReLU
from scratchnet.core import (
    ConfigError,
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Normal,
    Ones,
    Orthogonal,
    Uniform,
    Zeros,
)
from scratchnet.core.initializers import fans

SHAPE = (300, 50, 3, 2)  # fan_in = 300, fan_out = 1800, 90,000 numbers
VARIANCES = [
    (HeNormal(), 2 / 300),
    (HeNormal("fan_out"), 2 / 1800),
    (HeNormal(gain=1.0), 1 / 300),
    (HeUniform(), 2 / 300),
    (HeUniform("fan_out", 3.0), 9 / 1800),
    (GlorotNormal(), 2 / 2100),
    (GlorotNormal(2.0), 8 / 2100),
    (GlorotUniform(), 2 / 2100),
    (GlorotUniform(0.5), 0.5 / 2100),
    (Normal(), 1.0),
    (Normal(0.02), 0.0004),
    (Uniform(0.3), 0.03),
]
BOUNDS = [
    (HeUniform(), math.sqrt(6 / 300)),
    (HeUniform("fan_out", 1.0), math.sqrt(3 / 1800)),
    (GlorotUniform(), math.sqrt(6 / 2100)),
    (Uniform(0.3), 0.3),
]
ALL = [init for init, _ in VARIANCES] + [
    Normal(0.5, 3.0),
    Orthogonal(),
    Orthogonal(0.3),
    Constant(2.5),
    Zeros(),
    Ones(),
]


def draw(init, shape=SHAPE, seed=0):
    return init(np.random.default_rng(seed), shape)


@pytest.mark.parametrize(("shape", "expected"), [((7, 3), (3, 7)), (SHAPE, (300, 1800)), ((4, 5, 6), (30, 24))])
def test_fans(shape, expected):
    assert fans(shape) == expected


@pytest.mark.parametrize("init", [HeNormal(), HeUniform(), GlorotNormal(), GlorotUniform(), Orthogonal()])
@pytest.mark.parametrize("shape", [(), (5,)])
def test_fans_need_two_axes(init, shape):
    with pytest.raises(ConfigError, match="two axes"):
        draw(init, shape)


@pytest.mark.parametrize(("init", "variance"), VARIANCES, ids=repr)
def test_moments(init, variance):
    x = draw(init)
    n, std = x.size, math.sqrt(variance)
    assert abs(x.mean()) < 4 * std / math.sqrt(n)
    assert x.var() == pytest.approx(variance, rel=4 * math.sqrt(2 / n))


def test_mean():
    assert draw(Normal(0.5, 3.0)).mean() == pytest.approx(3.0, abs=4 * 0.5 / 300)


@pytest.mark.parametrize(("init", "bound"), BOUNDS, ids=repr)
def test_uniform_bounds(init, bound):
    largest = np.abs(draw(init)).max()
    assert 0.999 * bound < largest <= bound


@pytest.mark.parametrize("init", [HeNormal(), GlorotNormal()], ids=repr)
def test_normal_is_not_cut(init):
    x = draw(init)
    assert np.abs(x).max() > 4 * x.std()  # of 90,000 normal numbers, six lie out there


@pytest.mark.parametrize("shape", [(6, 6), (9, 4), (4, 9), (5, 2, 3, 3), (12, 2, 2), (1, 7), (7, 1)])
@pytest.mark.parametrize("gain", [1.0, 0.3])
def test_orthogonal(shape, gain):
    Q = draw(Orthogonal(gain), shape).reshape(shape[0], -1)
    gram = Q @ Q.T if Q.shape[0] <= Q.shape[1] else Q.T @ Q
    np.testing.assert_allclose(gram, gain**2 * np.eye(len(gram)), atol=1e-14)


def test_orthogonal_is_uniform():
    """Over rotations and reflections alike: without the signs of R, the QR factor favours some of them."""
    draws = np.array([draw(Orthogonal(), (3, 3), seed) for seed in range(2000)])
    assert np.abs(draws.mean(0)).max() < 4 / math.sqrt(3 * 2000)
    assert (draws**2).mean(0) == pytest.approx(np.full((3, 3), 1 / 3), abs=0.03)
    assert abs(np.linalg.det(draws).mean()) < 4 / math.sqrt(2000)


def test_constants():
    np.testing.assert_array_equal(draw(Constant(2.5), (3, 2)), np.full((3, 2), 2.5))
    np.testing.assert_array_equal(draw(Zeros(), (4,)), np.zeros(4))
    np.testing.assert_array_equal(draw(Ones(), ()), 1.0)


@pytest.mark.parametrize("init", ALL, ids=repr)
def test_every_initialiser(init):
    names = {type(i).__name__: type(i) for i in ALL}
    assert eval(repr(init), names) == init
    x = draw(init, (6, 4))
    assert (x.shape, x.dtype) == ((6, 4), np.float64)
    np.testing.assert_array_equal(x, draw(init, (6, 4)))


@pytest.mark.parametrize("init", [HeNormal(), HeUniform(), GlorotNormal(), GlorotUniform()], ids=repr)
def test_empty_weights(init):
    assert draw(init, (3, 0)).shape == (3, 0)


@pytest.mark.parametrize(
    "make", [lambda: HeNormal("fan"), lambda: HeUniform("in"), lambda: Normal(-1.0), lambda: Uniform(-1.0)]
)
def test_settings_without_meaning(make):
    with pytest.raises(ConfigError):
        make()


def values(seed=0, dtype="float64", names=("0.W", "2.W"), layers=None):
    net = Network(layers or [Dense(6), ReLU(), Dense(6)], (6,), seed=seed, dtype=dtype)
    return [net.parameters.views[name].copy() for name in names]


def test_seed_and_name_decide():
    first, second = values()
    np.testing.assert_array_equal(values()[0], first)
    assert not np.any(first == second)  # one shape, two names
    assert not np.any(values(seed=1)[0] == first)


def test_other_layers_do_not_matter():
    first, second = values()
    longer = values(layers=[Dense(6), ReLU(), Dense(6), ReLU(), Dense(3)])
    np.testing.assert_array_equal(longer, [first, second])


def test_types_share_their_draws():
    for single, double in zip(values(dtype="float32"), values(), strict=True):
        np.testing.assert_array_equal(single, double.astype(np.float32))
