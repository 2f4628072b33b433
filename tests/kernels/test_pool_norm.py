"""Pooling and normalising kernels where the suites do not reach: several threads, empty batches, bad winners."""

import numba  # noqa: TID251  (to set the number of threads)
import numpy as np
import pytest

import scratchnet.layers  # noqa: F401  (fills the registry)
from scratchnet.core import LAYERS, Network, Run
from scratchnet.core.run import Pool
from scratchnet_kernels import ShapeError, get_backend

ALL = [
    LAYERS["MaxPool2d"](2),
    LAYERS["MaxPool2d"]((3, 2), stride=(2, 1), padding=1),
    LAYERS["AvgPool2d"](3, stride=2, padding=1),
    LAYERS["GlobalAvgPool2d"](),
    LAYERS["BatchNorm2d"](),
    LAYERS["BatchNorm2d"](affine=False),
    LAYERS["LayerNorm"](),
    LAYERS["LayerNorm"](axes=3),
    LAYERS["GroupNorm"](4),
    LAYERS["GroupNorm"](8, affine=False),
    LAYERS["RMSNorm"](),
    LAYERS["RMSNorm"](affine=False),
]
every_layer = pytest.mark.parametrize("layer", ALL, ids=repr)
both_backends = pytest.mark.parametrize("backend", ["reference", "cpu"])


def step(layer, x, backend, training=True):
    """Everything that one step computes, by name."""
    rng = np.random.default_rng(3)
    net = Network([layer], x.shape[1:], backend=backend, dtype=x.dtype)
    for view in net.parameters.views.values():
        view[...] = rng.normal(size=view.shape)
    y, tape = net.forward(x, training=training)
    dy = rng.normal(size=y.shape).astype(x.dtype)
    dx = net.backward(dy, tape, need_dx=True)
    return {"y": y.copy(), "dx": dx.copy()} | net.gradients.snapshot() | net.buffers.snapshot()


@every_layer
def test_threads_agree_with_the_reference_and_with_themselves(layer):
    """Enough work for several threads. Twice the same number of threads gives the same bits."""
    x = np.random.default_rng(0).normal(5, 2, (16, 16, 28, 27)).astype(np.float32)
    before = numba.get_num_threads()
    expected = step(layer, x, "reference")
    try:
        for count in {1, min(2, before)}:
            numba.set_num_threads(count)
            actual, again = step(layer, x, "cpu"), step(layer, x, "cpu")
            for name in expected:
                scale = np.abs(expected[name]).max()
                np.testing.assert_allclose(actual[name], expected[name], rtol=0, atol=1e-6 * scale, err_msg=name)
                np.testing.assert_array_equal(actual[name], again[name], err_msg=name)
    finally:
        numba.set_num_threads(before)


@both_backends
@every_layer
def test_an_empty_batch(backend, layer):
    """No samples in, no samples out, and no gradient."""
    net = Network([layer], (8, 6, 5), backend=backend, dtype="float64")
    run = Run(Pool(), training=False, count=net.count)
    y, saved = layer.forward(net.k, net.views.scope("0"), np.empty((0, 8, 6, 5)), run)
    assert y.shape == (0, *net.output_shape)
    run.need_dx = True
    dx = layer.backward(net.k, net.views.scope("0"), net.gradients.views.scope("0"), saved, y, run)
    assert dx.shape == (0, 8, 6, 5)
    assert not net.gradients.flat.any()


@both_backends
def test_winners_from_elsewhere_reach_no_memory_outside(backend):
    """Places that no window has, or that lie outside the image, give no gradient and no crash."""
    k, dx = get_backend(backend).table(), np.empty((1, 1, 2, 2))
    at = np.full((1, 1, 1, 1), 200, np.uint8)
    k.max_pool2d_backward(at, np.ones((1, 1, 1, 1)), dx, (2, 2), (2, 2), (0, 0), (1, 1))
    assert not dx.any()


@both_backends
def test_no_more_windows_than_there_are(backend):
    """The door refuses an output in which a window would begin behind the image."""
    k, x = get_backend(backend).table(), np.zeros((1, 1, 4, 4))
    y = np.empty((1, 1, 3, 2))
    with pytest.raises(ShapeError, match="OH"):
        k.avg_pool2d(x, y, (2, 2), (2, 2), (0, 0), True)
    with pytest.raises(ShapeError, match="OH"):
        k.max_pool2d(x, y, np.empty(y.shape, np.uint8), (2, 2), (2, 2), (0, 0), (1, 1))


@both_backends
@pytest.mark.parametrize("name", ["batch_norm_eval", "layer_norm", "group_norm"])
def test_gamma_without_beta_is_refused(backend, name):
    """The kernels look at gamma alone, and would read a beta that is not there."""
    k, x, gamma = get_backend(backend).table(), np.ones((2, 3)), np.ones(3)
    y, (mean, rstd) = np.empty((2, 3)), np.empty((2, 3 if name == "batch_norm_eval" else 2))
    arguments = {
        "batch_norm_eval": (x, gamma, None, gamma, gamma, y, mean, rstd, 1e-5),
        "layer_norm": (x, gamma, None, y, mean, rstd, 1, 1e-5),
        "group_norm": (x, gamma, None, y, mean[:, None], rstd[:, None], 1, 1e-5),
    }
    with pytest.raises(ShapeError, match="gamma and beta come together"):
        getattr(k, name)(*arguments[name])
