"""Conv2d: the reference against PyTorch and exact fractions, the cpu backend against the reference."""

import importlib
import tracemalloc
from contextlib import contextmanager
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet_kernels import backend
from scratchnet_kernels.errors import ShapeError
from scratchnet_kernels.reference.conv2d import conv2d_out_size

# The module, which the function of the same name does not hide.
cpu_conv2d = importlib.import_module("scratchnet_kernels.cpu.conv2d")

# A sum of n products, in whatever order, errs by at most γ(n) Σ|a||b| with γ(n) ≈ n·ε (Higham, Accuracy and Stability
# of Numerical Algorithms, §3.1). The reference runs in a wider type and counts as exact. Two further roundings: the
# addition of b (or to what dW holds) and the rounding to the result's type.
EXTRA_ROUNDINGS = 2
WIDER = {np.float32: np.float64, np.float64: np.longdouble}

k = backend.get_backend("cpu").table()
reference = backend.get_backend("reference").table()

# The element type and the number of parts. float64 in parts is the same code, and would be compiled once more.
kinds = st.sampled_from([(np.float32, 1), (np.float32, 2), (np.float32, 3), (np.float64, 1)])
layouts = st.sampled_from(["C", "F", "step", "reversed", "read-only"])
small = st.integers(0, 3)


def laid_out(array, layout):
    """The same values with other strides."""
    if layout == "F":
        return np.asfortranarray(array)
    if layout == "step":
        wide = np.full((*array.shape[:-1], 2 * array.shape[-1]), np.nan, array.dtype)[..., ::2]
    elif layout == "reversed":
        wide = np.empty_like(array)[(slice(None, None, -1),) * array.ndim]
    else:
        wide = array.copy()
    wide[...] = array
    if layout == "read-only":
        wide.flags.writeable = False
    return wide


def close(actual, exact, scale, terms):
    """Within the rounding of a sum of `terms` products whose absolute values add up to `scale`."""
    bound = (terms + EXTRA_ROUNDINGS) * np.finfo(actual.dtype).eps * scale
    return actual.shape == exact.shape and bool(np.all(np.abs(actual - exact) <= bound))


@contextmanager
def in_parts(T):
    """Within, the kernels cut their work into T parts, however small it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cpu_conv2d, "threads", lambda flops: T)
        yield


@st.composite
def problems(draw, batches=(0, 1, 2, 3, 5, 17)):
    """Values and settings of a convolution. Sizes follow from the settings, so that all of them are legal."""
    groups = draw(st.sampled_from([1, 1, 1, 2, 3]))
    N, C, O = draw(st.sampled_from(batches)), groups * draw(st.integers(1, 5)), groups * draw(st.integers(1, 9))  # noqa: E741
    stride, dilation = draw(st.tuples(*2 * [st.integers(1, 3)])), draw(st.tuples(*2 * [st.integers(1, 3)]))
    padding = draw(st.tuples(*2 * [st.tuples(small, small)]))
    kernel = draw(st.sampled_from([(1, 1), (3, 3), (5, 5), (2, 3), (4, 1), (1, 7)]))
    out = draw(st.tuples(*2 * [st.sampled_from([1, 2, 3, 4, 7, 11])]))
    surplus = draw(st.tuples(*2 * [small]))  # rows that the stride does not reach
    size = [
        max(1, (out[i] - 1) * stride[i] + dilation[i] * (kernel[i] - 1) + 1 - sum(padding[i]))
        + min(surplus[i], stride[i] - 1)
        for i in range(2)
    ]
    OH, OW = (conv2d_out_size(size[i], kernel[i], stride[i], sum(padding[i]), dilation[i]) for i in range(2))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shapes = {"x": (N, C, *size), "W": (O, C // groups, *kernel), "b": (O,), "dy": (N, O, OH, OW)}
    arrays = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    return arrays, (stride, padding, dilation, groups), rng


@given(problems(), kinds, layouts, layouts, st.booleans())
def test_forward(problem, kind, layout, out_layout, with_bias):
    a, rest, _ = problem
    dtype, T = kind
    x, W, b = (laid_out(a[name].astype(dtype), layout) for name in ("x", "W", "b"))
    b = b if with_bias else None
    y = laid_out(np.full(a["dy"].shape, np.nan, dtype), out_layout.replace("read-only", "C"))
    with in_parts(T):
        k.conv2d(x, W, b, y, *rest)
    wide = [None if v is None else v.astype(WIDER[dtype]) for v in (x, W, b)]
    exact, scale = np.empty(y.shape, WIDER[dtype]), np.empty(y.shape, WIDER[dtype])
    reference.conv2d(*wide, exact, *rest)
    reference.conv2d(*[None if v is None else abs(v) for v in wide], scale, *rest)
    assert close(y, exact, scale, W[0].size)


@given(problems(), kinds, layouts, layouts, st.booleans(), st.booleans())
def test_backward_adds_to_gradients_and_overwrites_dx(problem, kind, layout, out_layout, with_bias, with_dx):
    a, rest, rng = problem
    dtype, T = kind
    x, W, dy = (laid_out(a[name].astype(dtype), layout) for name in ("x", "W", "dy"))
    out_layout = out_layout.replace("read-only", "C")
    dW = laid_out(rng.standard_normal(W.shape).astype(dtype), out_layout)
    db = laid_out(rng.standard_normal(len(W)).astype(dtype), out_layout) if with_bias else None
    dx = laid_out(np.full(x.shape, np.nan, dtype), out_layout) if with_dx else None
    outputs = [dW, db, dx]
    exact = [None if v is None else v.astype(WIDER[dtype]) for v in outputs]
    scale = [None if v is None else abs(v) for v in exact]
    inputs = [v.astype(WIDER[dtype]) for v in (x, W, dy)]
    reference.conv2d_backward(*inputs, *exact, *rest)
    reference.conv2d_backward(*[abs(v) for v in inputs], *scale, *rest)
    with in_parts(T):
        k.conv2d_backward(x, W, dy, *outputs, *rest)
    places = dy.size // len(W)
    for actual, right, size, terms in zip(outputs, exact, scale, (places, places, W.size), strict=True):
        assert actual is None or close(actual, right, size, terms)


@given(problems(batches=(1, 2)), kinds, st.data())
def test_nan_and_infinity_arrive_where_the_reference_puts_them(problem, kind, data):
    a, rest, rng = problem
    dtype, T = kind
    a = {name: array.astype(dtype) for name, array in a.items()}
    array = a[data.draw(st.sampled_from(sorted(a)))]
    array[rng.random(array.shape) < 0.3] = 0
    for value in data.draw(st.lists(st.sampled_from([np.nan, np.inf, -np.inf]), min_size=1, max_size=3)):
        array.flat[rng.integers(array.size)] = value
    results = []
    for table in (k, reference):
        y = np.empty_like(a["dy"])
        grads = [np.ones_like(a["W"]), np.ones_like(a["b"]), np.empty_like(a["x"])]
        with np.errstate(invalid="ignore"), in_parts(T):
            table.conv2d(a["x"], a["W"], a["b"], y, *rest)
            table.conv2d_backward(a["x"], a["W"], a["dy"], *grads, *rest)
        results.append([y, *grads])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
        np.testing.assert_array_equal(np.where(np.isinf(ours), ours, 0), np.where(np.isinf(theirs), theirs, 0))


SETTINGS = [  # x, W, stride, padding, dilation, groups: what the strategy above draws too rarely or not at all
    ((3, 16, 14, 14), (32, 16, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    ((2, 3, 40, 70), (5, 3, 3, 3), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),  # more columns than two vectors
    ((2, 130, 4, 4), (6, 130, 1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),  # more terms than one sweep
    ((1, 2, 40, 40), (3, 2, 2, 2), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),  # more positions than one sweep
    ((2, 9, 6, 6), (9, 1, 3, 3), (2, 2), ((1, 1), (1, 1)), (1, 1), 9),  # a group a channel
    ((2, 2, 3, 3), (3, 2, 2, 2), (4, 5), ((6, 5), (3, 7)), (4, 3), 1),  # borders wider than the image
    ((2, 2, 9, 9), (3, 2, 2, 2), (3, 3), ((2, 0), (0, 2)), (3, 6), 1),  # phases that no kernel element sees
]


@pytest.mark.parametrize("kind", [(np.float32, 1), (np.float32, 3), (np.float64, 1)])
@pytest.mark.parametrize(("x_shape", "W_shape", "stride", "padding", "dilation", "groups"), SETTINGS)
def test_settings(x_shape, W_shape, stride, padding, dilation, groups, kind):
    rng = np.random.default_rng(0)
    size = [conv2d_out_size(x_shape[i + 2], W_shape[i + 2], stride[i], sum(padding[i]), dilation[i]) for i in range(2)]
    shapes = {"x": x_shape, "W": W_shape, "b": W_shape[:1], "dy": (x_shape[0], W_shape[0], *size)}
    problem = {name: rng.standard_normal(shape) for name, shape in shapes.items()}, (stride, padding, dilation, groups)
    test_forward.hypothesis.inner_test((*problem, rng), kind, "C", "C", True)
    test_backward_adds_to_gradients_and_overwrites_dx.hypothesis.inner_test((*problem, rng), kind, "C", "C", True, True)


@given(problems())
def test_reference_is_pytorchs_convolution(problem):
    torch = pytest.importorskip("torch", reason="needs PyTorch: install scratchnet[parity]")
    a, (stride, padding, dilation, groups), _ = problem
    y, dW, db, dx = (np.zeros_like(a[name]) for name in ("dy", "W", "b", "x"))
    reference.conv2d(a["x"], a["W"], a["b"], y, stride, padding, dilation, groups)
    reference.conv2d_backward(a["x"], a["W"], a["dy"], dW, db, dx, stride, padding, dilation, groups)
    x, W, b = (torch.tensor(a[name], requires_grad=True) for name in ("x", "W", "b"))
    bordered = torch.nn.functional.pad(x, (*padding[1], *padding[0]))
    out = torch.nn.functional.conv2d(bordered, W, b, stride, 0, dilation, groups)
    out.backward(torch.tensor(a["dy"]))
    for ours, theirs in ((y, out), (dW, W.grad), (db, b.grad), (dx, x.grad)):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-9, atol=1e-12)  # float64 sums of ~10³ terms


@pytest.mark.parametrize("dtype", [np.longdouble, np.complex128, object])
def test_other_element_types_are_exact(dtype):
    """Whole multiples of a unit: the same sums as of whole numbers in float64, which are exact."""
    rng = np.random.default_rng(0)
    x, W, dy, b = (rng.integers(-9, 9, s).astype(float) for s in ((2, 4, 5, 6), (6, 2, 3, 2), (2, 6, 3, 2), (6,)))
    rest = ((2, 3), ((1, 1), (2, 0)), (1, 2), 2)
    unit = {np.longdouble: np.longdouble(1), np.complex128: 1j, object: Fraction(1, 7)}[dtype]
    exact = [np.zeros(v.shape) for v in (dy, W, b, x)]
    reference.conv2d(x, W, b, exact[0], *rest)
    reference.conv2d_backward(x, W, dy, *exact[1:], *rest)

    def scaled(v):
        if dtype is object:
            return np.vectorize(lambda value: int(value) * unit, otypes=[object])(v)
        return v.astype(dtype) * unit

    out = [np.zeros(v.shape, dtype) for v in (dy, W, b, x)]
    k.conv2d(scaled(x), scaled(W), scaled(b) * unit, out[0], *rest)
    k.conv2d_backward(scaled(x), scaled(W), scaled(dy), *out[1:], *rest)
    for actual, right, power in zip(out, exact, (2, 2, 1, 2), strict=True):
        np.testing.assert_array_equal(actual / unit**power, right)


def test_repeats_to_the_bit_and_in_steady_state_allocates_no_large_array():
    rng = np.random.default_rng(0)
    x, W, dy, b = (rng.standard_normal(s, np.float32) for s in ((9, 8, 30, 30), (16, 8, 3, 3), (9, 16, 15, 15), (16,)))
    x = x[::-1]  # has to be copied: into the workspace
    rest = ((2, 2), ((1, 1), (1, 1)), (1, 1), 1)

    def step():
        out = y, *_ = np.empty_like(dy), np.zeros_like(W), np.zeros_like(b), np.empty(x.shape, np.float32)
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        k.conv2d(x, W, b, y, *rest)
        k.conv2d_backward(x, W, dy, *out[1:], *rest)
        return out, tracemalloc.get_traced_memory()[1] - before

    step()
    tracemalloc.start()
    try:
        (first, _), (second, grown) = step(), step()
    finally:
        tracemalloc.stop()
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert grown < 65536


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"groups": 3}, "output channels do not divide"),
        ({"groups": 1}, "W does not fit the input channels"),
        ({"stride": (0, 1)}, "step is at least 1"),
        ({"padding": ((-1, 1), (0, 0))}, "border at least 0"),
        ({"dilation": (4, 1)}, "kernel covers more than the input"),
        ({"stride": (2, 1)}, "wrong extent"),
    ],
)
def test_restthat_do_not_fit_are_refused(change, message):
    x, W, y = np.zeros((2, 4, 5, 6)), np.zeros((8, 2, 3, 3)), np.zeros((2, 8, 3, 4))
    rest = {"stride": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "groups": 2}
    for table in (k, reference):
        table.conv2d(x, W, None, y, **rest)
        with pytest.raises(ShapeError, match=message):
            table.conv2d(x, W, None, y, **(rest | change))
        with pytest.raises(ShapeError, match=message):
            table.conv2d_backward(x, W, y, W.copy(), None, None, **(rest | change))


def test_out_size_counts_the_places_of_a_sliding_window():
    for size in range(1, 9):
        for kernel, stride, dilation in ((1, 1, 1), (3, 1, 1), (3, 2, 1), (2, 3, 2)):
            places = range(0, size + 2 - dilation * (kernel - 1), stride)
            assert max(conv2d_out_size(size, kernel, stride, 2, dilation), 0) == len(places)
