"""conv2d_relu_max_pool2d: the cpu backend against the reference, which is the three ops in a row."""

import importlib
import tracemalloc
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet_kernels import backend

from .test_cpu_conv2d import laid_out

# The modules, which the functions of the same names do not hide.
cpu = importlib.import_module("scratchnet_kernels.cpu.conv2d_relu_max_pool2d")
cpu_backward = importlib.import_module("scratchnet_kernels.cpu.conv2d_relu_max_pool2d_backward")
k = backend.get_backend("cpu").table()
reference = backend.get_backend("reference").table()

PLAIN = ((1, 1), ((1, 1), (1, 1)), (1, 1), 1, (2, 2), (2, 2), (0, 0), (1, 1))  # 3 × 3 and 2 × 2, as most are
kinds = st.sampled_from([(np.float32, 1), (np.float32, 2), (np.float32, 3), (np.float64, 1)])


@contextmanager
def in_parts(T):
    """Within, the kernels cut their work into T parts, however small it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cpu, "threads", lambda flops: T)
        patch.setattr(cpu_backward, "threads", lambda flops: T)
        yield


def pooled(x, W, settings):
    """(N, O, PH, PW): how many windows there are."""
    stride, padding, dilation, _, window, steps, borders, gaps = settings
    hidden = cpu.reference.hidden_shape(x.shape, W.shape, stride, padding, dilation)
    sides = [
        (n + 2 * border - gap * (extent - 1) - 1) // step + 1
        for n, extent, step, border, gap in zip(hidden[2:], window, steps, borders, gaps, strict=True)
    ]
    return (*hidden[:2], *sides)


def forward(table, x, W, b, settings):
    y = np.full(pooled(x, W, settings), np.nan, x.dtype)
    at = np.full(y.shape, 77, np.uint8)
    table.conv2d_relu_max_pool2d(x, W, b, y, at, *settings)
    return y, at


def backward(table, x, W, at, dy, need_dx, settings):
    """(dW, db, dx) on top of ones, dx None where it is not wanted."""
    dW, db = np.ones_like(W), np.ones(len(W), W.dtype)
    dx = np.full_like(x, np.nan) if need_dx else None
    table.conv2d_relu_max_pool2d_backward(x, W, at, dy, dW, db, dx, *settings)
    return dW, db, dx


def assert_close(actual, expected, dtype, what):
    if expected is None:
        assert actual is None
        return
    np.testing.assert_array_equal(np.isnan(actual), np.isnan(expected), err_msg=what)
    scale = max(1.0, np.abs(expected[np.isfinite(expected)]).max(initial=0))
    np.testing.assert_allclose(actual / scale, expected / scale, rtol=0, atol=400 * np.finfo(dtype).eps, err_msg=what)


def compare(x, W, b, settings, T=1, need_dx=True, layout="C", seed=0):
    """Everything of both backends, from the reference's places: a rounding may turn a tie."""
    dtype = x.dtype.type
    y, at = forward(reference, x, W, b, settings)
    dy = np.random.default_rng(seed).normal(size=y.shape).astype(dtype)
    with in_parts(T):
        y2, at2 = forward(k, laid_out(x, layout), W, b, settings)
        actual = backward(
            k,
            laid_out(x, layout),
            W,
            laid_out(at, "F" if layout == "step" else layout),
            laid_out(dy, layout),
            need_dx,
            settings,
        )
    assert_close(y2, y, dtype, "y")
    assert np.count_nonzero(at2 != at) <= 1 + at.size // 20
    dead = settings[4][0] * settings[4][1]
    assert (at2[y2 > 0] < dead).all()
    assert (at2[~(y2 > 0)] == dead).all()
    for name, a, e in zip(
        ("dW", "db", "dx"), actual, backward(reference, x, W, at, dy, need_dx, settings), strict=True
    ):
        assert_close(a, e, dtype, name)


@given(st.data(), kinds, st.integers(0, 3), st.sampled_from(["C", "F", "step", "reversed", "read-only"]))
def test_the_usual_blocks_of_any_size(data, kind, N, layout):
    dtype, T = kind
    draw = lambda *options: data.draw(st.sampled_from(options))  # noqa: E731
    C, O, kernel = draw(1, 2, 3, 5, 8, 11, 16, 17, 22, 32), draw(1, 3, 4, 9), draw(3, 3, 3, 1, 2, 5, 4)  # noqa: E741
    stride = draw((1, 1), (1, 1), (2, 1))
    pads = draw(((1, 1), (1, 1)), ((0, 0), (0, 0)), ((2, 1), (0, 2)))
    window = draw((2, 2), (2, 2), (2, 2), (3, 2))
    settings = (stride, pads, (1, 1), 1, window, window, (0, 0), (1, 1))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    shape = (N, C, data.draw(st.integers(10, 13)), data.draw(st.integers(9, 37)))
    x, W = rng.normal(size=shape).astype(dtype), rng.normal(size=(O, C, kernel, kernel)).astype(dtype)
    b = rng.normal(size=O).astype(dtype) if draw(True, False) else None
    compare(x, W, b, settings, T, draw(True, False), layout)


@given(st.data(), kinds)
def test_every_other_setting_takes_the_long_way(data, kind):
    dtype, T = kind
    draw = lambda *options: data.draw(st.sampled_from(options))  # noqa: E731
    groups = draw(1, 1, 2)
    overlapping = ((3, 3), (2, 2), (1, 1), (1, 1)), ((2, 2), (1, 1), (0, 0), (2, 1))
    pool = draw(*overlapping, ((1, 1), (1, 1), (0, 0), (1, 1)))
    settings = (draw((1, 1), (2, 3)), ((1, 1), (2, 0)), draw((1, 1), (2, 1)), groups, *pool)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    x = rng.normal(size=(draw(1, 3), 2 * groups, 11, 13)).astype(dtype)
    W = rng.normal(size=(2 * groups, 2, 3, 3)).astype(dtype)
    compare(x, W, None, settings, T, draw(True, False))


@pytest.mark.parametrize("C", [1, 3, 16])
@pytest.mark.parametrize("need_dx", [True, False])
def test_ties_and_dead_windows_go_where_the_reference_sends_them(C, need_dx):
    """Small whole numbers are exact, so every backend finds the same ties: places and gradients agree to the bit."""
    rng = np.random.default_rng(C)
    x, W = rng.integers(-1, 2, (3, C, 9, 10)).astype("f4"), rng.integers(-1, 2, (6, C, 3, 3)).astype("f4")
    W[0], W[1] = 0, -1  # all of a window 0: dead
    x[0] = np.abs(x[0])
    (y, at), (y2, at2) = forward(reference, x, W, None, PLAIN), forward(k, x, W, None, PLAIN)
    np.testing.assert_array_equal(y2, y)
    np.testing.assert_array_equal(at2, at)
    assert (at[:, 0] == 4).all()
    dy = rng.integers(-3, 4, y.shape).astype("f4")
    for a, e in zip(
        backward(k, x, W, at, dy, need_dx, PLAIN), backward(reference, x, W, at, dy, need_dx, PLAIN), strict=True
    ):
        np.testing.assert_array_equal(a, e)


@pytest.mark.parametrize("C", [1, 3, 16])
@pytest.mark.parametrize("need_dx", [True, False])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["x", "the corner of x, under no window", "W", "b", "dy", "dead dy"])
def test_nan_and_infinity_spread_as_in_the_reference(C, need_dx, value, where):
    rng = np.random.default_rng(5)
    x, W = rng.normal(size=(2, C, 8, 7)).astype("f4"), rng.normal(size=(4, C, 3, 3)).astype("f4")
    b = rng.normal(size=4).astype("f4")
    if where in ("x", "W", "b"):
        {"x": x, "W": W, "b": b}[where].reshape(-1)[2] = value
    settings = PLAIN
    if where.startswith("the corner"):  # the reference meets it in the rows of the convolution that are not pooled
        settings = ((1, 1), ((0, 0), (0, 0)), *PLAIN[2:])
        x = np.pad(x, ((0, 0), (0, 0), (0, 1), (0, 2)))
        x[-1, -1, -1, -1] = value
    with np.errstate(invalid="ignore"):
        y, at = forward(reference, x, W, b, settings)
        y2, at2 = forward(k, x, W, b, settings)
        assert_close(y2, y, np.float32, "y")
        np.testing.assert_array_equal(at2 == 4, at == 4)
        dy = rng.normal(size=y.shape).astype("f4")
        if where.endswith("dy"):
            dy[tuple(np.argwhere((at == 4) == (where == "dead dy"))[0])] = value
        actual = backward(k, x, W, at, dy, need_dx, settings)
        expected = backward(reference, x, W, at, dy, need_dx, settings)
    for name, a, e in zip(("dW", "db", "dx"), actual, expected, strict=True):
        assert_close(a, e, np.float32, name)


def test_a_nan_among_larger_numbers_wins_its_window_and_passes_nothing():
    x = np.array([[[[9, 1], [2, 3]]]], "f4")
    W, settings = np.ones((1, 1, 1, 1), "f4"), ((1, 1), ((0, 0), (0, 0)), *PLAIN[2:])
    for place in range(4):
        bad = x.copy()
        bad.reshape(-1)[place] = np.nan
        y, at = forward(k, bad, W, None, settings)
        assert np.isnan(y).all()
        assert at == 4


@pytest.mark.parametrize("C", [1, 3, 16])
def test_repeats_to_the_bit_and_in_steady_state_allocates_no_large_array(C):
    rng = np.random.default_rng(0)
    x, W = rng.normal(size=(7, C, 28, 28)).astype("f4"), rng.normal(size=(16, C, 3, 3)).astype("f4")
    y = np.empty((7, 16, 14, 14), "f4")
    at, dy = np.empty(y.shape, np.uint8), rng.normal(size=y.shape).astype("f4")
    dW, db, dx = np.zeros_like(W), np.zeros(16, "f4"), np.empty_like(x)

    def step():
        k.conv2d_relu_max_pool2d(x, W, None, y, at, *PLAIN)
        out = []
        for wanted in (dx, None):
            dW[...] = db[...] = 0
            k.conv2d_relu_max_pool2d_backward(x, W, at, dy, dW, db, wanted, *PLAIN)
            out += [dW.copy(), db.copy()]
        return [y.copy(), at.copy(), dx.copy(), *out]

    first = step()
    for a, e in zip(step(), first, strict=True):
        np.testing.assert_array_equal(a, e)

    def run():
        k.conv2d_relu_max_pool2d(x, W, None, y, at, *PLAIN)
        k.conv2d_relu_max_pool2d_backward(x, W, at, dy, dW, db, dx, *PLAIN)
        k.conv2d_relu_max_pool2d_backward(x, W, at, dy, dW, db, None, *PLAIN)

    run()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        run()
        assert tracemalloc.get_traced_memory()[1] - before < 64 << 10
    finally:
        tracemalloc.stop()


def test_whatever_the_places_hold_nothing_outside_is_touched():
    rng = np.random.default_rng(0)
    for C, need_dx in ((1, False), (1, True), (16, True), (16, False)):
        x, W = rng.normal(size=(2, C, 9, 9)).astype("f4"), rng.normal(size=(4, C, 3, 3)).astype("f4")
        at = rng.integers(0, 256, (2, 4, 4, 4)).astype(np.uint8)
        dy = rng.normal(size=at.shape).astype("f4")
        for a, e in zip(
            backward(k, x, W, at, dy, need_dx, PLAIN), backward(reference, x, W, at, dy, need_dx, PLAIN), strict=True
        ):
            assert_close(a, e, np.float32, "of rubbish places")
