"""Normalisation against PyTorch, in float64, on both backends; and its accuracy in float32 far from zero."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratchnet.layers  # noqa: F401  (fills the registry)
from scratchnet.core import LAYERS, ConfigError, Network, ShapeError

torch = pytest.importorskip("torch", reason="parity needs PyTorch: pip install 'scratchnet[parity]'")

BatchNorm1d, BatchNorm2d, LayerNorm, GroupNorm, RMSNorm = (
    LAYERS[name] for name in ("BatchNorm1d", "BatchNorm2d", "LayerNorm", "GroupNorm", "RMSNorm")
)
every_backend = pytest.mark.parametrize("backend", ["reference", "cpu"])
seeds = st.integers(0, 2**16)
epsilons = st.sampled_from([1e-5, 1e-3, 0.1])
extents = st.integers(1, 6)


def close(actual, expected, rtol=1e-10):
    np.testing.assert_allclose(actual, expected.detach().numpy(), rtol=rtol, atol=rtol * 1e-1)


def build(layer, theirs, in_shape, backend, seed):
    """A network of one layer, and PyTorch's module with the same parameters."""
    rng = np.random.default_rng(seed)
    net = Network([layer], in_shape, backend=backend, dtype="float64")
    theirs = theirs.double()
    named = {"0.gamma": theirs.weight, "0.beta": getattr(theirs, "bias", None)}
    for name, view in net.parameters.views.items():
        view[...] = rng.normal(size=view.shape)
        named[name].data[...] = torch.tensor(np.array(view))
    return net, theirs, {name: named[name] for name in net.parameters.views}


def compare_step(net, theirs, named, x, training, rng):
    """One forward and backward of both."""
    tx = torch.tensor(x, requires_grad=True)
    theirs.train(training)
    theirs.zero_grad()
    net.zero_grad()
    y, tape = net.forward(x, training=training)
    ty = theirs(tx)
    close(y, ty)
    dy = rng.normal(size=y.shape)
    dx = net.backward(dy, tape, need_dx=True)
    ty.backward(torch.tensor(dy))
    close(dx, tx.grad)
    for name, parameter in named.items():
        close(net.gradients.views[name], parameter.grad)


@every_backend
@given(
    seed=seeds,
    in_shape=st.one_of(st.tuples(extents), st.tuples(extents, extents), st.tuples(extents, extents, extents)),
    eps=epsilons,
    momentum=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    affine=st.booleans(),
)
def test_batch_norm(backend, seed, in_shape, eps, momentum, affine):
    """Batches of several sizes in training, the running statistics after each, then evaluation and its backward."""
    two_d = len(in_shape) == 3
    layer = (BatchNorm2d if two_d else BatchNorm1d)(eps, momentum, affine)
    theirs = (torch.nn.BatchNorm2d if two_d else torch.nn.BatchNorm1d)(in_shape[0], eps, momentum, affine)
    net, theirs, named = build(layer, theirs, in_shape, backend, seed)
    rng = np.random.default_rng(seed)
    for batch in (4, 3, 7):
        compare_step(net, theirs, named, rng.normal(2, 3, (batch, *in_shape)), True, rng)
        close(net.buffers.views["0.running_mean"], theirs.running_mean)
        close(net.buffers.views["0.running_var"], theirs.running_var)
    before = net.buffers.snapshot()
    for batch in (1, 3):
        compare_step(net, theirs, named, rng.normal(2, 3, (batch, *in_shape)), False, rng)
    for name, view in net.buffers.views.items():
        np.testing.assert_array_equal(view, before[name])


@every_backend
@given(
    seed=seeds, in_shape=st.lists(st.integers(2, 6), min_size=1, max_size=4), data=st.data(), eps=epsilons,
    affine=st.booleans(),
)  # fmt: skip
def test_layer_norm(backend, seed, in_shape, data, eps, affine):
    axes = data.draw(st.integers(1, len(in_shape)), "axes")
    in_shape[-1] += 1
    theirs = torch.nn.LayerNorm(in_shape[-axes:], eps, affine)
    net, theirs, named = build(LayerNorm(axes, eps, affine), theirs, in_shape, backend, seed)
    rng = np.random.default_rng(seed)
    compare_step(net, theirs, named, rng.normal(2, 3, (3, *in_shape)), True, rng)


@every_backend
@given(
    seed=seeds, groups=st.integers(1, 3), per_group=st.integers(3, 5), rest=st.lists(extents, max_size=2), eps=epsilons,
    affine=st.booleans(),
)  # fmt: skip
def test_group_norm(backend, seed, groups, per_group, rest, eps, affine):
    channels = groups * per_group
    theirs = torch.nn.GroupNorm(groups, channels, eps, affine)
    net, theirs, named = build(GroupNorm(groups, eps, affine), theirs, (channels, *rest), backend, seed)
    rng = np.random.default_rng(seed)
    compare_step(net, theirs, named, rng.normal(2, 3, (3, channels, *rest)), True, rng)


@every_backend
@given(
    seed=seeds, in_shape=st.lists(extents, min_size=1, max_size=3), eps=st.one_of(st.none(), epsilons),
    affine=st.booleans(),
)  # fmt: skip
def test_rms_norm(backend, seed, in_shape, eps, affine):
    in_shape[-1] += 1
    theirs = torch.nn.RMSNorm(in_shape[-1], eps, affine)
    net, theirs, named = build(RMSNorm(eps, affine), theirs, in_shape, backend, seed)
    rng = np.random.default_rng(seed)
    compare_step(net, theirs, named, rng.normal(2, 3, (3, *in_shape)), True, rng)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_default_eps_of_rms_norm_is_the_spacing_of_the_element_type(dtype):
    net = Network([RMSNorm()], (4,), dtype=dtype)
    y, _ = net.forward(np.full((1, 4), 1e-4, dtype), training=False)
    np.testing.assert_allclose(y, 1e-4 / np.sqrt(1e-8 + np.finfo(dtype).eps), rtol=1e-6)


@every_backend
@pytest.mark.parametrize("layer", [BatchNorm2d(), GroupNorm(2), LayerNorm(3), LayerNorm()], ids=repr)
def test_float32_far_from_zero(backend, layer):
    """Mean 10⁴, deviation 1: as exact as float32 allows, forward and backward, against PyTorch in float64."""
    rng = np.random.default_rng(0)
    x = rng.normal(1e4, 1, (5, 4, 6, 7)).astype(np.float32)
    wide = torch.tensor(x.astype(np.float64), requires_grad=True)
    theirs = {
        "BatchNorm2d": torch.nn.BatchNorm2d(4),
        "GroupNorm": torch.nn.GroupNorm(2, 4),
        "LayerNorm": torch.nn.LayerNorm((4, 6, 7) if getattr(layer, "axes", 1) == 3 else 7),
    }[type(layer).__name__].double()
    net = Network([layer], x.shape[1:], backend=backend, dtype="float32")
    y, tape = net.forward(x, training=True)
    dy = rng.normal(size=y.shape).astype(np.float32)
    dx = net.backward(dy, tape, need_dx=True)
    ty = theirs(wide)
    ty.backward(torch.tensor(dy.astype(np.float64)))
    assert y.dtype == dx.dtype == np.float32
    np.testing.assert_allclose(y, ty.detach().numpy(), rtol=3e-7, atol=3e-7)
    np.testing.assert_allclose(dx, wide.grad.numpy(), rtol=3e-7, atol=3e-7)
    np.testing.assert_allclose(net.gradients.views["0.gamma"], theirs.weight.grad.numpy(), rtol=3e-6, atol=3e-6)


@every_backend
@pytest.mark.parametrize("layer", [BatchNorm2d(), BatchNorm1d(), GroupNorm(2), LayerNorm()], ids=repr)
def test_float64_far_from_zero(backend, layer):
    """Whole numbers about 2^30, exact in float64: the layer sees what it sees about 0."""
    shape = (6, 4) if isinstance(layer, BatchNorm1d) else (5, 4, 3, 7)
    x = np.random.default_rng(0).integers(-3, 4, shape).astype(float)
    net = Network([layer], shape[1:], backend=backend, dtype="float64")
    near, far = (net.forward(x + offset, training=True)[0].copy() for offset in (0.0, 2.0**30))
    np.testing.assert_allclose(far, near, rtol=0, atol=1e-6)


@every_backend
@pytest.mark.parametrize("layer", [BatchNorm2d(), GroupNorm(2), LayerNorm(), RMSNorm()], ids=repr)
def test_nan_stays_where_it_belongs(backend, layer):
    """NaN reaches all that it is normalised with, and nothing else."""
    x = np.random.default_rng(0).normal(size=(2, 4, 3, 5)).astype(np.float32)
    x[1, 2, 0, 3] = np.nan
    net = Network([layer], x.shape[1:], backend=backend)
    y, _ = net.forward(x, training=True)
    expected = np.zeros(x.shape, bool)
    row = np.s_[1, 2, 0]
    where = {"BatchNorm2d": np.s_[:, 2], "GroupNorm": np.s_[1, 2:], "LayerNorm": row, "RMSNorm": row}
    expected[where[type(layer).__name__]] = True
    np.testing.assert_array_equal(np.isnan(y), expected)


@every_backend
def test_a_backward_in_evaluation_ignores_later_training(backend):
    """The tape keeps the statistics of its own forward."""
    rng = np.random.default_rng(0)
    net = Network([BatchNorm1d()], (3,), backend=backend, dtype="float64")
    found = []
    for train_between in (False, True):
        x = np.ones((2, 3))
        net.buffers.views["0.running_mean"][...] = 0.5
        net.buffers.views["0.running_var"][...] = 2.0
        _, tape = net.forward(x, training=False)
        if train_between:
            net.forward(rng.normal(size=(9, 3)), training=True)
        net.zero_grad()
        dx = net.backward(np.ones((2, 3)), tape, need_dx=True)
        np.testing.assert_allclose(dx, 1 / np.sqrt(2 + 1e-5))
        np.testing.assert_allclose(net.gradients.views["0.gamma"], 2 * 0.5 / np.sqrt(2 + 1e-5))
        np.testing.assert_array_equal(net.gradients.views["0.beta"], 2)
        found.append(float(net.buffers.views["0.running_mean"][0]))
    assert found[0] == 0.5 != found[1]  # the second round did move the statistics


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: BatchNorm1d(eps=0), ["BatchNorm1d", "eps", "0"]),
        (lambda: BatchNorm2d(momentum=1.5), ["BatchNorm2d", "momentum", "1.5"]),
        (lambda: LayerNorm(axes=0), ["one axis", "0"]),
        (lambda: LayerNorm(eps=-1.0), ["eps", "-1.0"]),
        (lambda: LayerNorm((3, 4)), ["number of axes", "(3, 4)"]),
        (lambda: GroupNorm(0), ["groups", "1 or more", "0"]),
        (lambda: RMSNorm(eps=0.0), ["eps", "0.0"]),
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
        (BatchNorm1d(), (3, 4, 5), ["BatchNorm1d", "(N, C) or (N, C, L)", "BatchNorm2d"]),
        (BatchNorm2d(), (3,), ["BatchNorm2d", "(N, C, H, W)", "BatchNorm1d"]),
        (LayerNorm(2), (3,), ["LayerNorm", "2 axes or more", "('N', 3)"]),
        (GroupNorm(2), (3, 4), ["GroupNorm", "groups=2", "3 channels"]),
        (GroupNorm(2), (), ["GroupNorm", "(N, C, ...)"]),
        (RMSNorm(), (), ["RMSNorm", "(N, ..., D)"]),
    ],
)
def test_inputs_that_do_not_fit(layer, in_shape, says):
    with pytest.raises(ShapeError) as caught:
        Network([layer], in_shape)
    for part in says:
        assert part in str(caught.value)


@pytest.mark.parametrize(("layer", "shape"), [(BatchNorm1d(), (1, 3)), (BatchNorm2d(), (1, 3, 1, 1))])
def test_a_training_batch_of_one_value_has_no_variance(layer, shape):
    net = Network([layer], shape[1:])
    with pytest.raises(ShapeError, match="two or more values a channel") as caught:
        net.forward(np.ones(shape, np.float32), training=True)
    assert str(shape) in str(caught.value)
    net.forward(np.ones(shape, np.float32), training=False)
