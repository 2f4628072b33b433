"""A dense layer in a step on single samples: by rows of W, and turned, by its columns."""

import numpy as np
import pytest

from scratchnet import SGD, Dense, Network, ReLU, SoftmaxCrossEntropy
from scratchnet_kernels.cpu.step.columns import STEPS, dense_columns, descend_columns, magnitude, turn
from scratchnet_kernels.cpu.step.rows import dense_row, descend_row


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (31, 5), (64, 8), (1030, 7)])
def test_one_row_agrees_with_the_kernels(dtype, inputs, outputs):
    rng = np.random.default_rng(inputs)
    net = Network([Dense(outputs)], input_shape=(inputs,), dtype=dtype)
    x, dy = rng.normal(size=(1, inputs)).astype(dtype), rng.normal(size=(1, outputs)).astype(dtype)
    dy[0, 0] = 0
    W, b = net.views["0.W"], net.views["0.b"]
    y, dx, lr = np.empty_like(dy), np.empty_like(x), net.dtype.type(0.3)
    dense_row(x, W, b, y, inputs, outputs)
    logits, tape = net.forward(x, training=True)
    bound = 2 * np.finfo(dtype).eps * (np.abs(x) @ np.abs(W).T + np.abs(b))  # of sums in another order
    np.testing.assert_array_less(np.abs(y - logits), np.maximum(bound, np.finfo(dtype).tiny))
    expected_dx = net.backward(dy, tape, need_dx=True)
    new_W, new_b = W.copy(), b.copy()
    descend_row(x, new_W, new_b, dy, dx, lr, np.empty(outputs, dtype), np.arange(outputs), inputs, outputs)
    bound = 2 * np.finfo(dtype).eps * (np.abs(dy) @ np.abs(W))
    np.testing.assert_array_less(np.abs(dx - expected_dx), np.maximum(bound, np.finfo(dtype).tiny))
    np.testing.assert_array_equal(new_W, W - lr * net.gradients.views["0.W"])
    np.testing.assert_array_equal(new_b, b - lr * net.gradients.views["0.b"])


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_a_row_without_slope_meets_an_infinite_input_as_in_the_layers(bad):
    x, W, b = np.array([[1.0, bad, 2.0]]), np.ones((2, 3)), np.ones(2)
    descend_row(x, W, b, np.array([[0.0, 1.0]]), np.empty((0, 0)), 0.5, np.empty(2), np.arange(2), 3, 2)
    np.testing.assert_array_equal(np.isnan(W[0]), [False, True, False])
    np.testing.assert_array_equal(W[1], [0.5, -bad, 0])


COLUMNS = {"float32": 1e-5, "float64": 1e-13}


def turned_step(x, dy, W=None, dtype="float64", lr=0.5):
    """(y, W, b, dx, bound) of a step on one sample with W turned; W and b all 1 at first unless given."""
    (_, I), (_, O) = x.shape, dy.shape  # noqa: E741
    W = np.ones((O, I), dtype) if W is None else W.copy()
    b, y, dx, turned = np.ones(O, dtype), np.empty((1, O), dtype), np.empty((1, I), dtype), np.empty((I, O), dtype)
    turn(W, turned)
    known, found = np.array([magnitude(W), 0, 0]), np.empty(I, np.int64)
    dense_columns(x, b, y, turned, known, found)
    descend_columns(x, b, dy, dx, np.dtype(dtype).type(lr), turned, known, found)
    turn(turned, W)
    return y, W, b, dx, known[0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (31, 5), (64, 64), (100, 77), (33, 200)])
@pytest.mark.parametrize("share", [0, 0.2, 1])
def test_turned_weights_do_what_the_layer_does(dtype, inputs, outputs, share):
    rng = np.random.default_rng(inputs)
    net = Network([Dense(outputs)], input_shape=(inputs,), dtype=dtype)
    net.views["0.b"][:] = 1
    x, dy = rng.normal(size=(1, inputs)).astype(dtype), rng.normal(size=(1, outputs)).astype(dtype)
    x[rng.random(x.shape) >= share] = 0
    dy[0, 0] = 0
    W = net.views["0.W"].copy()
    y, new_W, new_b, dx, bound = turned_step(x, dy, W, dtype)
    logits, tape = net.forward(x, training=True)
    expected_dx = net.backward(dy, tape, need_dx=True)
    np.testing.assert_allclose(y, logits, rtol=COLUMNS[dtype], atol=COLUMNS[dtype])
    np.testing.assert_allclose(dx, expected_dx, rtol=COLUMNS[dtype], atol=COLUMNS[dtype])
    half = net.dtype.type(0.5)
    np.testing.assert_array_equal(new_W, W - half * net.gradients.views["0.W"])
    np.testing.assert_array_equal(new_b, 1 - half * net.gradients.views["0.b"])
    assert np.abs(new_W).max() <= bound < np.inf


@pytest.mark.parametrize("bad", [np.inf, np.nan])
@pytest.mark.parametrize("at", [1, 40, 49])
def test_turned_weights_meet_what_is_not_finite(bad, at):
    x, dy = np.zeros((1, 50)), np.ones((1, 70))
    x[0, 3], dy[0, 0] = 1, 0

    W = np.ones((70, 50))
    W[2, at] = bad  # x is 0 there, and 0·∞ is NaN
    y, *_ = turned_step(x, dy, W)
    assert np.flatnonzero(np.isnan(y)).tolist() == [2]

    unhappy = x.copy()
    unhappy[0, at] = bad
    y, W, _, _, bound = turned_step(unhappy, dy)
    assert not np.isfinite(y).any()
    assert np.flatnonzero(np.isnan(W[0])).tolist() == [at]  # dy is 0 there
    np.testing.assert_array_equal(W[1, [0, 3, at]], [1, 0.5, -bad])
    assert bound == np.inf

    dy[0, 5] = bad
    _, W, _, _, bound = turned_step(x, dy)
    assert np.isnan(np.delete(W[5], 3)).all()
    np.testing.assert_equal(W[5, 3], -bad)
    assert np.delete(W, 5, 0)[1:].sum() == 68 * 49.5
    assert bound == np.inf


@pytest.mark.parametrize("steps", [STEPS - 1, STEPS])
def test_few_steps_and_many_agree_with_the_layers(steps):
    rng = np.random.default_rng(0)
    x, t = rng.integers(0, 256, (steps, 200)).astype(np.uint8), rng.integers(0, 10, steps)
    x[rng.random(x.shape) < 0.8] = 0
    nets = [Network([Dense(128), ReLU(), Dense(10)], input_shape=(200,), dtype="float64") for _ in range(2)]
    loss, opt = SoftmaxCrossEntropy(), SGD(0.05)
    trained = nets[0].compile(loss, opt, batch_size=1).run(x, t, scale=1 / 255)
    for n in range(steps):
        logits, tape = nets[1].forward(x[n : n + 1] / 255, training=True)
        value, dlogits = loss(logits, t[n : n + 1], tape)
        np.testing.assert_allclose(trained.losses[n], float(value), rtol=1e-9)
        nets[1].zero_grad()
        nets[1].backward(dlogits, tape)
        opt.step(nets[1])
    np.testing.assert_allclose(nets[0].parameters.flat, nets[1].parameters.flat, rtol=1e-9, atol=1e-12)
    assert nets[0].compile(loss, opt, batch_size=1).source.count("dense_columns(x, b0") == 1
