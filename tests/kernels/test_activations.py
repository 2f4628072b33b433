"""Activation kernels where activations break: at infinity, at 0, far out, on NaN; and the functions under them."""

import numpy as np
import pytest
from numba import njit  # noqa: TID251  (the functions can be called from compiled code only)
from scipy import special

from scratchnet_kernels import get_backend
from scratchnet_kernels.cpu import _elementary

SETTINGS = {
    "relu": (),
    "leaky_relu": (0.01,),
    "elu": (1.5,),
    "sigmoid": (),
    "tanh": (),
    "gelu": (),
    "gelu_tanh": (),
    "silu": (),
    "softplus": (2.0, 20.0),
    "square": (),
}
FAR = [0.0, -0.0, 1e-30, -1e-30, 1e-4, -1e-4, 0.5, -0.5, 3.0, -3.0, 12.0, -12.0, 88.0, -88.0, 1e4, -1e4]
TOLERANCE = {dtype: 64 * np.finfo(dtype).eps for dtype in ("float32", "float64")}  # some tens of roundings

every_op = pytest.mark.parametrize("name", SETTINGS)
both_types = pytest.mark.parametrize("dtype", ["float32", "float64"])
both_backends = pytest.mark.parametrize("backend", ["reference", "cpu"])


def forward_and_backward(backend, name, x, dy):
    """y and dx. The backward is given what the layer saves: y or x."""
    k, y, dx = get_backend(backend).table(), np.empty_like(x), np.empty_like(x)
    getattr(k, name)(x, y, *SETTINGS[name])
    saved = y if name in ("relu", "sigmoid", "tanh") else x
    getattr(k, name + "_backward")(saved, dy, dx, *SETTINGS[name])
    return y, dx


@both_types
@every_op
def test_cpu_agrees_with_the_reference_far_out_and_near_zero(name, dtype):
    x = np.concatenate([FAR, np.linspace(-20, 20, 1001)]).astype(dtype)
    dy = np.random.default_rng(0).normal(size=x.size).astype(dtype)
    expected = forward_and_backward("reference", name, x.astype(np.float64), dy.astype(np.float64))
    for actual, exact in zip(forward_and_backward("cpu", name, x, dy), expected, strict=True):
        assert actual.dtype == dtype
        error = np.abs(actual - exact) / np.maximum(1, np.abs(exact))
        assert error.max() < TOLERANCE[dtype], x[error.argmax()]


@both_types
@both_backends
@every_op
def test_finite_inputs_give_finite_outputs_and_no_warning(name, backend, dtype):
    x = np.array(FAR, dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for array in forward_and_backward(backend, name, x, np.ones_like(x)):
            assert np.isfinite(array).all()


@both_types
@both_backends
@every_op
def test_nan_comes_through_alone(name, backend, dtype):
    x, dy = np.ones(37, dtype), np.ones(37, dtype)
    x[[0, 5, 36]] = np.nan
    y, _ = forward_and_backward(backend, name, x, dy)
    np.testing.assert_array_equal(np.isnan(y), np.isnan(x))
    _, dx = forward_and_backward(backend, name, dy, x)  # a NaN in dy, where the derivative is not 0
    np.testing.assert_array_equal(np.isnan(dx), np.isnan(x))


@both_types
@every_op
def test_infinities_as_in_the_reference(name, dtype):
    x = np.array([np.inf, -np.inf, 1.0], dtype)
    with np.errstate(invalid="ignore"):  # x·σ(x) at -∞ is -∞·0
        expected = forward_and_backward("reference", name, x, np.ones_like(x))
        actual = forward_and_backward("cpu", name, x, np.ones_like(x))
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=TOLERANCE[dtype])


@both_types
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("shape", [(0, 3, 1), (2, 1, 1), (3, 37, 1), (2, 5, 3), (2, 37, 19), (2, 3, 0), (0, 3, 2)])
def test_softmax_of_any_extents(name, shape, dtype):
    rng = np.random.default_rng(1)
    x, dy = (rng.normal(size=(2, *shape)) * 8).astype(dtype)
    results = []
    for backend, kind in (("reference", "float64"), ("cpu", dtype)):
        k, y, dx = get_backend(backend).table(), np.empty(shape, kind), np.empty(shape, kind)
        getattr(k, name)(x.astype(kind), y)
        getattr(k, name + "_backward")(y, dy.astype(kind), dx)
        results.append((y, dx))
    for exact, actual in zip(*results, strict=True):
        np.testing.assert_allclose(actual, exact, rtol=TOLERANCE[dtype], atol=20 * TOLERANCE[dtype])


@both_types
@both_backends
@pytest.mark.parametrize("shape", [(2, 5, 1), (2, 5, 3)])
def test_softmax_far_out(shape, backend, dtype):
    k, y, log_y = get_backend(backend).table(), np.empty(shape, dtype), np.empty(shape, dtype)
    x = np.zeros(shape, dtype)
    x[0, 0], x[0, 1], x[1] = 1e4, -1e4, -1e4  # one sure, one undecided
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        k.softmax(x, y)
        k.log_softmax(x, log_y)
    np.testing.assert_allclose(y[0], np.eye(5)[0][:, None] * np.ones(shape[2]), atol=1e-7)
    np.testing.assert_allclose(y[1], 0.2, rtol=1e-6)
    np.testing.assert_allclose(log_y[0], x[0] - np.dtype(dtype).type(1e4), rtol=1e-6)
    np.testing.assert_allclose(log_y[1], -np.log(5), rtol=1e-3 if dtype == "float32" else 1e-11)


@both_types
@both_backends
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("shape", [(3, 7, 1), (3, 7, 2)])
def test_a_nan_spoils_its_own_sum_and_no_other(name, shape, backend, dtype):
    x, y = np.zeros(shape, dtype), np.empty(shape, dtype)
    x[0, 0, 0] = x[1, 6, -1] = np.nan
    getattr(get_backend(backend).table(), name)(x, y)
    np.testing.assert_array_equal(np.isnan(y), np.broadcast_to(np.isnan(x).any(axis=1, keepdims=True), shape))


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_minus_infinity_masks_an_entry(backend):
    x, y = np.array([[[0.0], [-np.inf], [0.0]]]), np.empty((1, 3, 1))
    get_backend(backend).table().softmax(x, y)
    np.testing.assert_allclose(y[0, :, 0], [0.5, 0, 0.5])


EXACT = {  # function, range of |x|, sign of x
    "exp": (np.exp, 700, -1),
    "expm1": (np.expm1, 50, -1),
    "tanh": (np.tanh, 25, 0),
    "sigmoid": (special.expit, 80, 0),
    "log1p": (np.log1p, 1, 1),
}


@both_types
@pytest.mark.parametrize("name", EXACT)
def test_elementary_functions_to_a_few_units_in_the_last_place(name, dtype):
    exact, reach, sign = EXACT[name]
    x = np.concatenate([np.linspace(0, reach, 20001), np.geomspace(1e-30, reach, 2001)])
    x = (x * sign if sign else np.concatenate([x, -x])).astype(dtype)
    y, true = evaluate(getattr(_elementary, name), x), exact(x.astype(np.float64))
    normal = np.abs(true) > np.finfo(dtype).tiny
    units = np.abs(y - true)[normal] / np.abs(true)[normal] / np.finfo(dtype).eps
    assert units.max() < 4
    assert (np.abs(y[~normal]) <= 2 * np.finfo(dtype).tiny).all()


@both_types
def test_normal_cdf(dtype):
    x = np.linspace(-30, 10, 20001).astype(dtype)
    y, true = evaluate(_elementary.normal_cdf, x), special.ndtr(x.astype(np.float64))
    assert np.abs(y - true).max() < 2 * np.finfo(dtype).eps
    tail = (x < -1) & (true > np.finfo(dtype).tiny)  # relative error too: x² is rounded before the exponential
    assert (np.abs(y - true)[tail] / true[tail]).max() < 1000 * np.finfo(dtype).eps


def evaluate(function, x):
    @njit(error_model="numpy", fastmath=_elementary.CONTRACT)
    def loop(x, y):
        for i in range(x.size):
            y[i] = function(x[i])

    y = np.empty_like(x)
    loop(x, y)
    return y
