"""Dense on the cpu backend against the reference, over odd shapes, strides, thread counts and special values."""

import importlib
import tracemalloc
from contextlib import contextmanager
from fractions import Fraction

import numba  # noqa: TID251
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet_kernels import backend
from scratchnet_kernels.cpu import _threads

# The module, which the function of the same name does not hide.
cpu_dense = importlib.import_module("scratchnet_kernels.cpu.dense")

# A sum of n products, in whatever order, errs by at most γ(n) Σ|a||b| with γ(n) ≈ n·ε (Higham, Accuracy and Stability
# of Numerical Algorithms, §3.1). The reference runs in a wider type and counts as exact. Two further roundings: the
# addition of b (or to what dW holds) and the rounding to the result's type.
EXTRA_ROUNDINGS = 2
WIDER = {np.float32: np.float64, np.float64: np.longdouble}

k = backend.get_backend("cpu").table()
reference = backend.get_backend("reference").table()

# The element type and the number of parts. float64 in parts is the same code, and would be compiled once more.
kinds = st.sampled_from([(np.float32, 1), (np.float32, 2), (np.float32, 3), (np.float64, 1)])
sizes = st.sampled_from([1, 2, 3, 4, 5, 7, 8, 13, 16, 31, 33, 64, 65, 130])
layouts = st.sampled_from(["C", "F", "step", "reversed", "offset", "read-only"])


def laid_out(array, layout):
    """The same values with other strides."""
    if layout == "F":
        return np.asfortranarray(array)
    if layout == "step":
        wide = np.full((*array.shape[:-1], 2 * array.shape[-1]), np.nan, array.dtype)[..., ::2]
    elif layout == "reversed":
        wide = np.empty_like(array)[(slice(None, None, -1),) * array.ndim]
    elif layout == "offset":
        wide = np.empty(array.size + 1, array.dtype)[1:].reshape(array.shape)
    else:
        wide = array.copy()
    wide[...] = array
    if layout == "read-only":
        wide.flags.writeable = False
    return wide


def writable(layout):
    return "C" if layout == "read-only" else layout


def close(actual, exact, scale, terms):
    """Within the rounding of a sum of `terms` products whose absolute values add up to `scale`."""
    bound = (terms + EXTRA_ROUNDINGS) * np.finfo(actual.dtype).eps * scale
    return actual.shape == exact.shape and bool(np.all(np.abs(actual - exact) <= bound))


@st.composite
def problems(draw, batches=(0, 1, 2, 3, 4, 7, 8, 9, 16, 33, 70)):
    """Shapes, values, a layout for every array, a number of parts to cut the work into."""
    N, I, O = draw(st.sampled_from(batches)), draw(sizes), draw(sizes)  # noqa: E741
    dtype, T = draw(kinds)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shapes = {"x": (N, I), "W": (O, I), "b": (O,), "dy": (N, O)}
    arrays = {name: laid_out(rng.standard_normal(shape).astype(dtype), draw(layouts)) for name, shape in shapes.items()}
    return arrays, dtype, T, draw(layouts.map(writable)), rng


@contextmanager
def in_parts(T):
    """Within, the kernels cut their work into T parts, however small it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cpu_dense, "threads", lambda flops: T)
        yield


@given(problems(), st.booleans())
def test_forward(problem, with_bias):
    a, dtype, T, layout, _ = problem
    b = a["b"] if with_bias else None
    y = laid_out(np.full((len(a["x"]), len(a["W"])), np.nan, dtype), layout)
    with in_parts(T):
        k.dense(a["x"], a["W"], b, y)
    wide = [None if v is None else v.astype(WIDER[dtype]) for v in (a["x"], a["W"], b)]
    exact, scale = np.empty(y.shape, WIDER[dtype]), np.empty(y.shape, WIDER[dtype])
    reference.dense(*wide, exact)
    reference.dense(*[None if v is None else abs(v) for v in wide], scale)
    assert close(y, exact, scale, a["x"].shape[1])


@given(problems(), st.booleans(), st.booleans())
def test_backward_adds_to_gradients_and_overwrites_dx(problem, with_bias, with_dx):
    a, dtype, T, layout, rng = problem
    dW = laid_out(rng.standard_normal(a["W"].shape).astype(dtype), layout)
    db = laid_out(rng.standard_normal(a["b"].shape).astype(dtype), layout) if with_bias else None
    dx = laid_out(np.full(a["x"].shape, np.nan, dtype), layout) if with_dx else None
    outputs = [dW, db, dx]
    exact = [None if v is None else v.astype(WIDER[dtype]) for v in outputs]
    scale = [None if v is None else abs(v) for v in exact]
    inputs = [a[name].astype(WIDER[dtype]) for name in ("x", "W", "dy")]
    reference.dense_backward(*inputs, *exact)
    reference.dense_backward(*[abs(v) for v in inputs], *scale)
    with in_parts(T):
        k.dense_backward(a["x"], a["W"], a["dy"], *outputs)
    N, O = a["dy"].shape  # noqa: E741
    for actual, right, size, terms in zip(outputs, exact, scale, (N, N, O), strict=True):
        assert actual is None or close(actual, right, size, terms)


@given(problems(batches=(1, 3, 9)), st.data())
def test_nan_and_infinity_arrive_where_the_reference_puts_them(problem, data):
    a, _, T, _, rng = problem
    a = {name: array.copy() for name, array in a.items()}
    for array in a.values():
        array[rng.random(array.shape) < 0.3] = 0  # 0·∞ is NaN
        for value in data.draw(st.lists(st.sampled_from([np.nan, np.inf, -np.inf]), max_size=2)):
            array.flat[rng.integers(array.size)] = value
    results = []
    for table in (k, reference):
        y = np.empty_like(a["dy"])
        grads = [np.ones_like(a["W"]), np.ones_like(a["b"]), np.empty_like(a["x"])]
        with np.errstate(invalid="ignore"), in_parts(T):
            table.dense(a["x"], a["W"], a["b"], y)
            table.dense_backward(a["x"], a["W"], a["dy"], *grads)
        results.append([y, *grads])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
        np.testing.assert_array_equal(np.where(np.isinf(ours), ours, 0), np.where(np.isinf(theirs), theirs, 0))


@given(problems(batches=(1,)), st.booleans())
def test_one_sample_and_one_of_zeros_give_the_bits_of_one(problem, kinks):
    """One sample has a path of its own, which passes over rows without a gradient."""
    a, dtype, T, _, rng = problem
    dW, found = rng.standard_normal(a["W"].shape).astype(dtype), []
    if kinks:
        a["dy"] = np.where(rng.random(a["dy"].shape) < 0.5, dtype(0), a["dy"])
    for zeros in (0, 1):
        x, dy = (np.vstack([v, np.zeros((zeros, v.shape[1]), dtype)]) for v in (a["x"], a["dy"]))
        grads = dW.copy(), np.ones(len(dW), dtype)
        with in_parts(T):
            k.dense_backward(x, a["W"], dy, *grads, None)
        found.append([v.tobytes() for v in grads])
    assert found[0] == found[1]


def with_kinks(array, rng):
    """Some zeros of both signs, and rarely what no sum survives."""
    array = array.copy()
    for value, share in ((0.0, 0.3), (-0.0, 0.3), (np.nan, 0.02), (np.inf, 0.02)):
        array[rng.random(array.shape) < share] = value
    return array


@given(problems(), st.booleans(), st.booleans(), st.booleans())
def test_dense_relu_gives_the_bits_of_dense_and_relu(problem, kinks, with_bias, with_dx):
    a, dtype, T, layout, rng = problem
    if kinks:
        a = {name: laid_out(with_kinks(array, rng), layout) for name, array in a.items()}
    b = a["b"] if with_bias else None
    outputs = [rng.standard_normal(a["W"].shape), rng.standard_normal(a["b"].shape) if with_bias else None]
    outputs += [np.full(a["x"].shape, np.nan) if with_dx else None]
    found = []
    for fused in (True, False):
        y = laid_out(np.full(a["dy"].shape, np.nan, dtype), layout)
        grads = [None if g is None else laid_out(g.astype(dtype), layout) for g in outputs]
        with in_parts(T):
            if fused:
                k.dense_relu(a["x"], a["W"], b, y)
                k.dense_relu_backward(a["x"], a["W"], y, a["dy"], *grads)
            else:
                hidden, dhidden = np.empty(y.shape, dtype), np.empty(y.shape, dtype)
                k.dense(a["x"], a["W"], b, hidden)
                k.relu(hidden, y)
                k.relu_backward(y, a["dy"], dhidden)
                k.dense_backward(a["x"], a["W"], dhidden, *grads)
        found.append([None if v is None else v.tobytes() for v in (y, *grads)])
    assert found[0] == found[1]


@pytest.mark.parametrize("dtype", [np.longdouble, np.complex64, object])
def test_other_element_types_run_on_the_reference(dtype):
    rng = np.random.default_rng(0)
    x, W, dy, b = (rng.integers(-9, 9, s).astype(dtype) for s in ((5, 3), (4, 3), (5, 4), (4,)))
    if dtype is object:
        x, W, dy, b = (np.vectorize(lambda v: Fraction(v, 7), otypes=[object])(v) for v in (x, W, dy, b))
    results = []
    for table in (k, reference):
        out = [np.zeros((5, 4), dtype), np.zeros((4, 3), dtype), np.zeros(4, dtype), np.zeros((5, 3), dtype)]
        table.dense(x, W, b, out[0])
        table.dense_backward(x, W, dy, *out[1:])
        rectified = np.zeros((5, 4), dtype)
        table.dense_relu(x, W, b, rectified)
        table.dense_relu_backward(x, W, rectified, dy, *out[1:])
        results.append([*out, rectified])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_repeats_to_the_bit_and_in_steady_state_allocates_no_large_array():
    rng = np.random.default_rng(0)
    x, W, dy, b = (rng.standard_normal(s, np.float32) for s in ((70, 400), (300, 400), (70, 300), (300,)))
    x = x[:, ::-1]  # has to be copied: into the workspace

    def step():
        out = y, *_ = np.empty_like(dy), np.zeros_like(W), np.zeros_like(b), np.empty((70, 400), np.float32)
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        k.dense(x, W, b, y)
        k.dense_backward(x, W, dy, *out[1:])
        k.dense_relu_backward(x, W, y, dy, *out[1:])
        return out, tracemalloc.get_traced_memory()[1] - before

    step()
    tracemalloc.start()
    try:
        (first, _), (second, grown) = step(), step()
    finally:
        tracemalloc.stop()
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert grown < 65536


def test_number_of_threads_follows_the_work_and_the_limit():
    limit = numba.get_num_threads()
    assert _threads.threads(1000) == 1
    assert _threads.threads(10**15) == limit
    numba.set_num_threads(1)
    try:
        assert _threads.threads(10**15) == 1
    finally:
        numba.set_num_threads(limit)
