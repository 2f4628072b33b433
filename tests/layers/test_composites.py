"""Residual and Parallel: formulas, names, and what does not fit."""

import numpy as np
import pytest

from scratchnet.core import LAYERS, ConfigError, Network, Sequential, ShapeError
from scratchnet.layers import Dense, ReLU
from scratchnet.layers.embedding import Embedding
from scratchnet.layers.parallel import Parallel
from scratchnet.layers.residual import Residual

every_backend = pytest.mark.parametrize("backend", ["reference", "cpu"])


def forward_backward(layer, in_shape, backend="cpu", need_dx=True):
    """(net, x, y, dy, dx) of one step."""
    net = Network([layer], in_shape, backend=backend, dtype="float64")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, *in_shape))
    y, tape = net.forward(x, training=True)
    dy = rng.normal(size=y.shape)
    return net, x, y, dy, net.backward(dy, tape, need_dx=need_dx)


@every_backend
def test_residual(backend):
    net, x, y, dy, dx = forward_backward(Residual(Dense(4, bias=False)), (4,), backend)
    W, dW = net.parameters.views["0.body.W"], net.gradients.views["0.body.W"]
    np.testing.assert_allclose(y, x @ W.T + x, rtol=1e-13)
    np.testing.assert_allclose(dx, dy @ W + dy, rtol=1e-13)
    np.testing.assert_allclose(dW, dy.T @ x, rtol=1e-13)


@every_backend
def test_residual_with_a_shortcut(backend):
    layer = Residual(Sequential(Dense(4), ReLU(), Dense(2)), Dense(2, bias=False))
    net, x, y, dy, dx = forward_backward(layer, (5,), backend)
    assert list(net.parameters.views) == ["0.body.0.W", "0.body.0.b", "0.body.2.W", "0.body.2.b", "0.shortcut.W"]
    p = net.parameters.views
    hidden = np.maximum(x @ p["0.body.0.W"].T + p["0.body.0.b"], 0)
    np.testing.assert_allclose(y, hidden @ p["0.body.2.W"].T + x @ p["0.shortcut.W"].T, rtol=1e-12)
    through = (dy @ p["0.body.2.W"]) * (hidden > 0) @ p["0.body.0.W"]
    np.testing.assert_allclose(dx, through + dy @ p["0.shortcut.W"], rtol=1e-12)


@every_backend
def test_parallel_joins(backend):
    net, x, y, dy, dx = forward_backward(Parallel(Dense(2, bias=False), ReLU(), Dense(3, bias=False)), (4,), backend)
    assert list(net.parameters.views) == ["0.0.W", "0.2.W"]
    W0, W2 = net.parameters.views.values()
    np.testing.assert_allclose(y, np.hstack([x @ W0.T, np.maximum(x, 0), x @ W2.T]), rtol=1e-13)
    np.testing.assert_allclose(dx, dy[:, :2] @ W0 + dy[:, 2:6] * (x > 0) + dy[:, 6:] @ W2, rtol=1e-12)
    np.testing.assert_allclose(net.gradients.views["0.2.W"], dy[:, 6:].T @ x, rtol=1e-12)


@pytest.mark.parametrize("axis", [1, 2, 3])
def test_parallel_joins_along_any_axis(axis):
    _, x, y, dy, dx = forward_backward(Parallel(ReLU(), Sequential(), axis=axis), (2, 3, 4))
    np.testing.assert_array_equal(y, np.concatenate([np.maximum(x, 0), x], axis))
    left, right = np.split(dy, 2, axis)
    np.testing.assert_array_equal(dx, left * (x > 0) + right)


def test_parallel_sums():
    net, x, y, dy, dx = forward_backward(Parallel(ReLU(), Sequential(), Dense(4, bias=False), combine="sum"), (4,))
    (W,) = net.parameters.views.values()
    np.testing.assert_allclose(y, np.maximum(x, 0) + x + x @ W.T, rtol=1e-13)
    np.testing.assert_allclose(dx, dy * (x > 0) + dy + dy @ W, rtol=1e-13)


def test_a_single_branch_is_the_branch():
    for combine in ("concat", "sum"):
        net, x, y, dy, dx = forward_backward(Parallel(ReLU(), combine=combine), (4,))
        assert net.output_shape == (4,)
        np.testing.assert_array_equal(y, np.maximum(x, 0))
        np.testing.assert_array_equal(dx, dy * (x > 0))


@pytest.mark.parametrize("layer", [Residual(Dense(4)), Parallel(Dense(4), ReLU()), Parallel(ReLU(), combine="sum")])
def test_nobody_asks_for_dx(layer):
    net, *_, dx = forward_backward(layer, (4,), need_dx=False)
    assert dx is None
    assert all(g.any() for g in net.gradients.views.values())


def test_branches_of_indices():
    net = Network([Parallel(Embedding(5, 2), Embedding(5, 3), axis=2), Residual(ReLU())], (4,), dtype="float64")
    assert net.output_shape == (4, 5)
    x = np.array([[0, 1, 1, 4]])
    y, tape = net.forward(x, training=True)
    assert net.backward(np.ones_like(y), tape, need_dx=True) is None
    p, g = net.parameters.views, net.gradients.views
    joined = np.concatenate([p["0.0.W"][x], p["0.1.W"][x]], 2)
    np.testing.assert_allclose(y, joined + np.maximum(joined, 0))
    np.testing.assert_array_equal(g["0.0.W"][1], 2 * (1 + (p["0.0.W"][1] > 0)))


@pytest.mark.parametrize(
    ("layer", "in_shape", "said"),
    [
        (Residual(Dense(3)), (4,), r"\('N', 4\)[\s\S]*\('N', 3\)[\s\S]*shortcut"),
        (Residual(Dense(3), Dense(5)), (4,), r"\('N', 5\)[\s\S]*\('N', 3\)"),
        (Residual(Embedding(4, 2)), (), "one shape"),
        (Parallel(Dense(3), Dense(5), combine="sum"), (4,), r"\('N', 3\)[\s\S]*\('N', 5\)"),
        (Parallel(Dense(3), ReLU(), axis=2), (4,), "axis 2"),
        (Parallel(ReLU(), Parallel(ReLU(), ReLU(), axis=3)), (2, 3, 4), r"\('N', 2, 3, 4\)[\s\S]*\('N', 2, 3, 8\)"),
    ],
    ids=repr,
)
def test_shapes_that_do_not_fit(layer, in_shape, said):
    with pytest.raises(ShapeError, match=said):
        Network([layer], in_shape)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Residual(Dense),
        lambda: Residual(Dense(3), "x"),
        lambda: Residual(Embedding(4, 2), Dense(2)),
        lambda: Parallel(),
        lambda: Parallel(Dense),
        lambda: Parallel([Dense(3)]),
        lambda: Parallel(Dense(3), combine="mean"),
        lambda: Parallel(Dense(3), axis=0),
        lambda: Parallel(Embedding(4, 2), Dense(2)),
    ],
)
def test_settings_without_meaning(make):
    with pytest.raises(ConfigError):
        make()


@pytest.mark.parametrize(
    "source",
    [
        "Residual(Dense(3))",
        "Residual(Sequential(ReLU(), Dense(3)), shortcut=Dense(3, bias=False))",
        "Parallel(Dense(3), Residual(ReLU()), combine='sum')",
        "Parallel(Dense(3), axis=2)",
    ],
)
def test_repr_is_source(source):
    layer = eval(source, dict(LAYERS))
    assert repr(layer) == source
    assert eval(repr(layer), dict(LAYERS)) == layer
