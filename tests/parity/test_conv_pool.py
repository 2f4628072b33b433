"""Convolution and pooling against PyTorch, in float64, on both backends: forward, dx, parameter gradients, errors."""

import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import scratchnet.layers  # noqa: F401  (fills the registry)
from scratchnet.core import LAYERS, ConfigError, Network, ShapeError
from scratchnet_kernels import get_backend

torch = pytest.importorskip("torch", reason="parity needs PyTorch: pip install 'scratchnet[parity]'")
F = torch.nn.functional

Conv2d, MaxPool2d, AvgPool2d, GlobalAvgPool2d, Conv1d, ConvTranspose2d = (
    LAYERS[name] for name in ("Conv2d", "MaxPool2d", "AvgPool2d", "GlobalAvgPool2d", "Conv1d", "ConvTranspose2d")
)
every_backend = pytest.mark.parametrize("backend", ["reference", "cpu"])
seeds = st.integers(0, 2**16)


def sizes(low, high):
    return st.one_of(st.integers(low, high), st.tuples(st.integers(low, high), st.integers(low, high)))


def two(size):
    return size if isinstance(size, tuple) else (size, size)


def ours(layer, x, backend, seed, dtype="float64"):
    """(y, dy, dx, the parameters and their gradients by name) of one layer."""
    rng = np.random.default_rng(seed)
    net = Network([layer], x.shape[1:], backend=backend, dtype=dtype)
    for view in net.parameters.views.values():
        view[...] = rng.normal(size=view.shape)
    y, tape = net.forward(x, training=True)
    dy = rng.normal(size=y.shape).astype(dtype)
    dx = net.backward(dy, tape, need_dx=True)
    return y, dy, dx, net.parameters.views, net.gradients.views


def close(actual, expected):
    np.testing.assert_allclose(actual, expected.detach().numpy(), rtol=1e-11, atol=1e-12)


@every_backend
@pytest.mark.parametrize("kernel", [2, (4, 3), (1, 2)])
@pytest.mark.parametrize("dilation", [1, (1, 3)])
def test_same_padding_has_its_odd_zero_at_the_end(backend, kernel, dilation):
    x = np.random.default_rng(0).normal(size=(2, 3, 8, 9))
    y, dy, dx, p, g = ours(Conv2d(4, kernel, padding="same", dilation=dilation), x, backend, 1)
    tx, W, b = (torch.tensor(np.array(a), requires_grad=True) for a in (x, p["0.W"], p["0.b"]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch says that it copies the input for an odd number of zeros
        ty = F.conv2d(tx, W, b, padding="same", dilation=dilation)
    ty.backward(torch.tensor(dy))
    close(y, ty)
    close(dx, tx.grad)
    close(g["0.W"], W.grad)


@every_backend
@given(data=st.data(), seed=seeds)
def test_conv2d(backend, data, seed):
    groups = data.draw(st.integers(1, 3), "groups")
    channels, out = groups * data.draw(st.integers(1, 3)), groups * data.draw(st.integers(1, 3))
    kernel, dilation = data.draw(sizes(1, 3), "kernel"), data.draw(sizes(1, 2), "dilation")
    padding = data.draw(st.one_of(sizes(0, 3), st.sampled_from(["same", "valid"])), "padding")
    stride = 1 if padding == "same" else data.draw(sizes(1, 3), "stride")
    shape = data.draw(st.integers(1, 3)), channels, data.draw(st.integers(5, 9)), data.draw(st.integers(5, 9))
    layer = Conv2d(out, kernel, stride, padding, dilation, groups, bias=data.draw(st.booleans(), "bias"))
    x = np.random.default_rng(seed).normal(size=shape)
    y, dy, dx, p, g = ours(layer, x, backend, seed)

    tx = torch.tensor(x, requires_grad=True)
    tp = {name: torch.tensor(np.array(view), requires_grad=True) for name, view in p.items()}
    ty = F.conv2d(tx, tp["0.W"], tp.get("0.b"), stride, padding, dilation, groups)
    ty.backward(torch.tensor(dy))
    close(y, ty)
    close(dx, tx.grad)
    for name in p:
        close(g[name], tp[name].grad)


def hold_against(layer, x, backend, seed, function, *settings, dtype="float64"):
    """A convolution of ours against PyTorch's in float64: y, dx, dW, db."""
    x = x.astype(dtype)
    y, dy, dx, p, g = ours(layer, x, backend, seed, dtype)
    tx = torch.tensor(x.astype(np.float64), requires_grad=True)
    tp = {name: torch.tensor(view.astype(np.float64), requires_grad=True) for name, view in p.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch says that it copies the input for an odd number of "same" zeros
        ty = function(tx, tp["0.W"], tp.get("0.b"), *settings)
    ty.backward(torch.tensor(dy.astype(np.float64)))
    pairs = [(y, ty), (dx, tx.grad), *[(g[name], tp[name].grad) for name in p]]
    for actual, expected in pairs:
        if dtype == "float64":
            close(actual, expected)
        else:
            assert actual.dtype == dtype
            largest = float(expected.detach().abs().max())
            np.testing.assert_allclose(actual, expected.detach().numpy(), rtol=0, atol=2e-5 * max(1, largest))


@every_backend
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("multiplier", [1, 2])
@pytest.mark.parametrize(("stride", "padding"), [(1, "same"), (2, 1)])
def test_depthwise(backend, dtype, multiplier, stride, padding):
    """As many groups as channels: every channel has windows of its own. In one dimension, in two, and transposed."""
    rng, C = np.random.default_rng(0), 5
    settings = (stride, padding, 1, C)
    x = rng.normal(size=(2, C, 9, 8))
    hold_against(Conv2d(multiplier * C, 3, *settings), x, backend, 1, F.conv2d, *settings, dtype=dtype)
    hold_against(Conv1d(multiplier * C, 3, *settings), x[:, :, 0], backend, 1, F.conv1d, *settings, dtype=dtype)
    layer = ConvTranspose2d(multiplier * C, 3, stride, 1, stride - 1, groups=C)
    hold_against(layer, x, backend, 1, F.conv_transpose2d, stride, 1, stride - 1, C, dtype=dtype)


@every_backend
@given(data=st.data(), seed=seeds, dtype=st.sampled_from(["float32", "float64"]))
def test_conv1d(backend, data, seed, dtype):
    groups = data.draw(st.integers(1, 3), "groups")
    channels, out = groups * data.draw(st.integers(1, 3)), groups * data.draw(st.integers(1, 3))
    kernel, dilation = data.draw(st.integers(1, 4), "kernel"), data.draw(st.integers(1, 2), "dilation")
    padding = data.draw(st.one_of(st.integers(0, 3), st.sampled_from(["same", "valid"])), "padding")
    stride = 1 if padding == "same" else data.draw(st.integers(1, 3), "stride")
    settings = (stride, padding, dilation, groups)
    x = np.random.default_rng(seed).normal(size=(data.draw(st.integers(1, 3)), channels, data.draw(st.integers(7, 12))))
    layer = Conv1d(out, kernel, *settings, bias=data.draw(st.booleans(), "bias"))
    hold_against(layer, x, backend, seed, F.conv1d, *settings, dtype=dtype)


@every_backend
@given(data=st.data(), seed=seeds, dtype=st.sampled_from(["float32", "float64"]))
def test_conv_transpose2d(backend, data, seed, dtype):
    groups = data.draw(st.integers(1, 3), "groups")
    channels, out = groups * data.draw(st.integers(1, 3)), groups * data.draw(st.integers(1, 3))
    kernel, dilation = data.draw(sizes(1, 3), "kernel"), data.draw(sizes(1, 2), "dilation")
    stride, padding = data.draw(sizes(1, 3), "stride"), data.draw(sizes(0, 2), "padding")
    more = tuple(data.draw(st.integers(0, s - 1)) for s in two(stride))
    shape = data.draw(st.integers(1, 3)), channels, data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6))
    layer = ConvTranspose2d(out, kernel, stride, padding, more, dilation, groups, bias=data.draw(st.booleans(), "bias"))
    x = np.random.default_rng(seed).normal(size=shape)
    extents = [(n - 1) * s - 2 * p + d * (w - 1) + m + 1 for n, s, p, d, w, m in
               zip(shape[2:], two(stride), two(padding), two(dilation), two(kernel), more, strict=True)]  # fmt: skip
    if min(extents) < 1:
        with pytest.raises(ShapeError, match="of which the padding leaves something"):
            layer.out_shape(shape[1:])
        return
    theirs = (stride, padding, more, groups, dilation)
    hold_against(layer, x, backend, seed, F.conv_transpose2d, *theirs, dtype=dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_conv_transpose2d_on_threads(dtype):
    """Large enough for the parallel kernels, with sizes that no tile divides."""
    x = np.random.default_rng(0).normal(size=(5, 7, 13, 11))
    layer = ConvTranspose2d(9, 4, 2, 1, 1)
    hold_against(layer, x, "cpu", 1, F.conv_transpose2d, 2, 1, 1, dtype=dtype)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("which", ["x", "W", "dy"])
def test_conv_transpose2d_of_what_is_not_finite(bad, which):
    """It goes where the reference sends it and nowhere else, borders included."""
    rng = np.random.default_rng(0)
    settings = (2, 2), ((1, 1), (0, 0)), (1, 1), 1
    given = {
        "x": rng.normal(size=(2, 3, 4, 4)),
        "W": rng.normal(size=(3, 2, 3, 3)),
        "dy": rng.normal(size=(2, 2, 7, 9)),
    }
    given[which][1, 1, 2, 2] = bad
    results = []
    for backend in ("reference", "cpu"):
        k = get_backend(backend).table()
        y, dW, db, dx = np.empty((2, 2, 7, 9)), np.zeros((3, 2, 3, 3)), np.zeros(2), np.empty((2, 3, 4, 4))
        k.conv_transpose2d(given["x"], given["W"], None, y, *settings)
        k.conv_transpose2d_backward(*given.values(), dW, db, dx, *settings)
        results.append((y, dW, db, dx))
    for slow, fast in zip(*results, strict=True):
        np.testing.assert_allclose(fast, slow, rtol=1e-11, atol=1e-12)


@every_backend
@pytest.mark.parametrize("kind", ["max", "avg"])
@settings(max_examples=max(100, settings().max_examples))
@given(data=st.data(), seed=seeds, ties=st.booleans())
def test_pools(backend, kind, data, seed, ties):
    """Every setting that PyTorch takes, windows that overlap and overhang included; where it refuses, so do we."""
    window = data.draw(st.one_of(sizes(2, 4), sizes(1, 4)), "window")
    stride = data.draw(st.one_of(st.none(), sizes(1, 4)), "stride")
    half = tuple(n // 2 for n in two(window))
    padding = data.draw(st.sampled_from([half, min(half), 0, (half[0], 0), (0, half[1])]), "padding")
    ceil = data.draw(st.booleans(), "ceil_mode")
    shape = (2, data.draw(st.integers(1, 3)), data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9)))
    rng = np.random.default_rng(seed)
    x = rng.integers(-2, 2, shape).astype(float) if ties else rng.normal(size=shape)
    tx = torch.tensor(x, requires_grad=True)
    if kind == "max":
        dilation = data.draw(sizes(1, 3), "dilation")
        layer = MaxPool2d(window, stride, padding, dilation, ceil)
        steps_over = any(d > n for d, n in zip(two(dilation), shape[2:], strict=True)) and padding not in (0, (0, 0))
        assume(not steps_over)  # PyTorch answers -inf there; see test_a_window_of_nothing_but_padding_is_refused
        theirs = (stride, padding, dilation, ceil)
    else:
        count = data.draw(st.booleans(), "count_include_pad")
        layer = AvgPool2d(window, stride, padding, ceil, count)
        theirs = (stride, padding, ceil, count)
    try:
        ty = (F.max_pool2d if kind == "max" else F.avg_pool2d)(tx, window, *theirs)
    except RuntimeError as error:
        assert "Output size is too small" in str(error)  # noqa: PT017
        with pytest.raises(ShapeError):
            layer.out_shape(shape[1:])
        return
    y, dy, dx, _, _ = ours(layer, x, backend, seed)
    ty.backward(torch.tensor(dy))
    close(y, ty)
    close(dx, tx.grad)


@every_backend
@pytest.mark.parametrize("fill", [np.nan, -np.inf, np.inf])
def test_max_pool_of_special_values(backend, fill):
    """NaN comes through and the last of several is the winner; -inf wins against padding."""
    x = np.random.default_rng(0).normal(size=(1, 2, 7, 7))
    x[0, 0, 2:6, 1:6] = fill
    x[0, 1] = fill
    tx = torch.tensor(x, requires_grad=True)
    y, dy, dx, _, _ = ours(MaxPool2d(3, 2, 1), x, backend, 0)
    ty = F.max_pool2d(tx, 3, 2, 1)
    ty.backward(torch.tensor(dy))
    close(y, ty)
    close(dx, tx.grad)


@every_backend
def test_a_window_too_large_for_bytes(backend):
    """From 256 elements on, winners are kept as int32."""
    x = np.random.default_rng(0).normal(size=(1, 1, 20, 35))
    tx = torch.tensor(x, requires_grad=True)
    y, dy, dx, _, _ = ours(MaxPool2d((16, 18), 1, 3), x, backend, 0)
    ty = F.max_pool2d(tx, (16, 18), 1, 3)
    ty.backward(torch.tensor(dy))
    close(y, ty)
    close(dx, tx.grad)


@every_backend
def test_global_avg_pool(backend):
    x = np.random.default_rng(0).normal(size=(3, 4, 5, 6))
    tx = torch.tensor(x, requires_grad=True)
    y, dy, dx, _, _ = ours(GlobalAvgPool2d(), x, backend, 0)
    ty = F.adaptive_avg_pool2d(tx, 1).flatten(1)
    ty.backward(torch.tensor(dy))
    close(y, ty)
    close(dx, tx.grad)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Conv2d(4, 3, padding="same", stride=2), ["same", "stride=2"]),
        (lambda: Conv2d(4, 3, padding="full"), ["padding", "'full'"]),
        (lambda: Conv2d(4, 3, groups=3), ["groups=3", "out=4"]),
        (lambda: Conv2d(0, 3), ["Conv2d's out", "1 or more", "0"]),
        (lambda: Conv2d(4, 0), ["kernel", "1 or more", "0"]),
        (lambda: Conv2d(4, (3, 3, 3)), ["kernel", "(3, 3, 3)"]),
        (lambda: Conv2d(4, 3, padding=-1), ["padding", "0 or more", "-1"]),
        (lambda: Conv2d(4, 3, dilation=1.5), ["dilation", "1.5"]),
        (lambda: Conv1d(4, 3, padding="same", stride=2), ["same", "stride=2"]),
        (lambda: Conv1d(4, 3, padding="full"), ["padding", "'full'"]),
        (lambda: Conv1d(4, 3, groups=3), ["groups=3", "out=4"]),
        (lambda: Conv1d(4, (3, 3)), ["kernel", "1 or more", "(3, 3)"]),
        (lambda: ConvTranspose2d(4, 3, groups=3), ["groups=3", "out=4"]),
        (lambda: ConvTranspose2d(4, 3, (2, 1), output_padding=1), ["output_padding", "less than (2, 1)", "1"]),
        (lambda: ConvTranspose2d(4, 3, padding="same"), ["padding", "'same'"]),
        (lambda: MaxPool2d(3, padding=2), ["half its window", "at most 1", "2"]),
        (lambda: AvgPool2d((4, 2), padding=2), ["half its window", "at most 1", "2"]),
        (lambda: MaxPool2d(2, stride=0), ["stride", "1 or more", "0"]),
    ],
)
def test_settings_without_meaning(make, says):
    with pytest.raises(ConfigError) as caught:
        make()
    for part in says:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("layer", "in_shape", "says"),
    [
        (Conv2d(4, 5), (3, 4, 9), ["Conv2d", "height", "at least 5", "4 = 4 + 0 + 0"]),
        (Conv2d(4, 3, padding=(9, 1), dilation=4), (3, 4, 4), ["width", "at least 9", "6 = 4 + 1 + 1"]),
        (Conv2d(4, 3, groups=2), (3, 9, 9), ["groups=2", "3 channels"]),
        (Conv2d(4, 3), (9, 9), ["(N, C, H, W)", "('N', 9, 9)"]),
        (Conv1d(4, 5, padding=1), (3, 2), ["Conv1d", "length", "at least 5", "4 = 2 + 1 + 1"]),
        (Conv1d(4, 3, groups=2), (3, 9), ["groups=2", "3 channels"]),
        (Conv1d(4, 3), (3, 9, 9), ["(N, C, L)", "('N', 3, 9, 9)"]),
        (ConvTranspose2d(4, 3, padding=2), (3, 4, 1), ["width", "3 - 4", "a width of 1"]),
        (ConvTranspose2d(4, 3, groups=2), (3, 9, 9), ["groups=2", "3 channels"]),
        (MaxPool2d(3), (3, 2, 9), ["MaxPool2d", "at least 3", "2 = 2 + 0 + 0"]),
        (AvgPool2d(3), (9,), ["AvgPool2d", "(N, C, H, W)"]),
        (GlobalAvgPool2d(), (9,), ["GlobalAvgPool2d", "(N, C, H, W)"]),
    ],
)
def test_inputs_that_do_not_fit(layer, in_shape, says):
    with pytest.raises(ShapeError) as caught:
        Network([layer], in_shape)
    for part in says:
        assert part in str(caught.value)


def test_a_window_of_nothing_but_padding_is_refused():
    """PyTorch answers -inf, and its gradient goes nowhere."""
    layer = MaxPool2d(2, 1, 1, dilation=(1, 3))
    assert F.max_pool2d(torch.zeros(1, 1, 2, 2), 2, 1, 1, (1, 3)).min() == -np.inf
    with pytest.raises(ShapeError, match="sees only padding") as caught:
        layer.out_shape((1, 2, 2))
    assert "width 2" in str(caught.value)
    # a gap larger than the image is no fault where an element still falls on it
    assert MaxPool2d(4, 9, 2, 3, ceil_mode=True).out_shape((1, 2, 2)) == (1, 1, 1)
    assert F.max_pool2d(torch.zeros(1, 1, 2, 2), 4, 9, 2, 3, ceil_mode=True).shape == (1, 1, 1, 1)
