"""Norms and clipping: the formula, extreme numbers, frozen and tied parameters, what is not finite."""

import math

import numpy as np
import pytest

from scratchnet import SGD, Dense, Network, ReLU
from scratchnet.core.errors import ConfigError
from scratchnet.optim.clipping import NonFiniteGradientError, clip_factor, global_norm, parameter_norms

both = pytest.mark.parametrize("backend", ["reference", "cpu"])


def network(backend="cpu", dtype="float32", scale=1.0, **settings):
    net = Network([Dense(5), ReLU(), Dense(5), Dense(5)], (5,), backend=backend, dtype=dtype, **settings)
    rng = np.random.default_rng(3)
    for g in net.gradients.views.values():
        g[...] = rng.normal(size=g.shape) * scale
    return net


def expected_norm(net, names=None):
    return math.hypot(*(float(x) for name in names or net.gradients.segments for x in net.gradients.views[name].flat))


@both
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_norms(backend, dtype):
    net = network(backend, dtype)
    assert global_norm(net) == pytest.approx(expected_norm(net), rel=1e-14)
    norms = parameter_norms(net)
    assert list(norms) == ["0.W", "0.b", "2.W", "2.b", "3.W", "3.b"]
    for name, norm in norms.items():
        assert norm == pytest.approx(expected_norm(net, [name]), rel=1e-14)
    assert global_norm(net) == global_norm(net)


@both
@pytest.mark.parametrize(
    ("dtype", "scale"),
    [("float32", 1e30), ("float32", 1e-36), ("float64", 1e200), ("float64", 1e-200), ("float64", 1e300)],
)
def test_squares_neither_overflow_nor_vanish(backend, dtype, scale):
    net = network(backend, dtype, scale)
    assert global_norm(net) == pytest.approx(expected_norm(net), rel=1e-13)
    factor, norm = clip_factor(net, norm_limit := expected_norm(net) / 4)
    assert factor * norm == pytest.approx(norm_limit)


def test_zero():
    net = network(scale=0.0)
    assert global_norm(net) == 0.0
    assert clip_factor(net, 1.0) == (1.0, 0.0)


@both
def test_frozen_parameters_do_not_count(backend):
    net = network(backend)
    net.parameters.freeze("2")
    assert global_norm(net) == pytest.approx(expected_norm(net, ["0.W", "0.b", "3.W", "3.b"]), rel=1e-14)
    assert "2.W" in parameter_norms(net)
    net.gradients.views["2.W"].fill(np.nan)
    assert clip_factor(net, 1.0)[0] < 1


def test_tied_parameters_count_once():
    net = network(ties={"3.W": "2.W"})
    assert list(parameter_norms(net)) == ["0.W", "0.b", "2.W", "2.b", "3.b"]
    assert global_norm(net) == pytest.approx(math.hypot(*parameter_norms(net).values()), rel=1e-14)


@both
def test_clipping_keeps_the_direction(backend):
    net = network(backend, "float64")
    g, norm = net.gradients.flat.copy(), global_norm(net)
    factor, seen = clip_factor(net, norm / 3)
    assert seen == norm
    assert factor == pytest.approx(1 / 3)
    np.testing.assert_array_equal(net.gradients.flat, g)
    before = net.parameters.flat.copy()
    SGD(1.0).step(net, clip=factor)
    np.testing.assert_allclose(before - net.parameters.flat, g / 3, rtol=1e-12, atol=1e-15)
    assert clip_factor(net, norm * 1.01) == (1.0, norm)


def test_loss_scale():
    net = network("cpu", "float64")
    norm = global_norm(net)
    net.gradients.flat[...] *= 1024.0
    factor, seen = clip_factor(net, norm / 2, inverse_scale=1 / 1024)
    assert (factor, seen) == (pytest.approx(0.5), pytest.approx(norm))


def test_agrees_with_torch():
    torch = pytest.importorskip("torch", reason="parity needs the extra `parity`")
    net = network("cpu", "float64")
    parameters = [torch.nn.Parameter(torch.zeros(g.shape, dtype=torch.float64)) for g in net.gradients.views.values()]
    for parameter, g in zip(parameters, net.gradients.views.values(), strict=True):
        parameter.grad = torch.tensor(g)
    factor, norm = clip_factor(net, 2.0)
    assert norm == pytest.approx(float(torch.nn.utils.clip_grad_norm_(parameters, 2.0)), rel=1e-12)
    for parameter, g in zip(parameters, net.gradients.views.values(), strict=True):
        np.testing.assert_allclose(factor * g, parameter.grad.numpy(), rtol=1e-6)  # torch divides by norm + 1e-6


@both
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_named(backend, dtype, bad):
    net = network(backend, dtype)
    net.gradients.views["2.W"][3, 1] = bad
    net.gradients.views["3.b"][0] = bad
    assert not math.isfinite(global_norm(net))
    with pytest.raises(NonFiniteGradientError, match=r"2\.W\[3, 1\]"):
        clip_factor(net, 1.0)


@pytest.mark.parametrize("max_norm", [0.0, -1.0, math.nan])
def test_a_limit_is_positive(max_norm):
    with pytest.raises(ConfigError):
        clip_factor(network(), max_norm)


def test_strided_and_empty_arrays():
    net = network()
    a = np.arange(24.0).reshape(4, 6)
    for part in (a[::2, 1::2], a.T, a[:0]):
        total = np.full((), np.nan)
        net.k.sum_of_squares(part, total, 1.0)
        assert total == (part**2).sum()
