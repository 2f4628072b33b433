"""opt.step(net, zero=True) leaves what opt.step(net) and net.zero_grad() would, to the bit."""

import numpy as np
import pytest

from scratchnet import SGD, Adam, AdamW, Dense, Network, ReLU, RMSprop, SoftmaxCrossEntropy
from scratchnet.core.errors import ConfigError
from scratchnet.optim import clip_factor
from scratchnet_kernels.cpu import sgd as kernels

OPTIMIZERS = [
    SGD(0.1),
    SGD(0.1, weight_decay=0.1),
    SGD(0.1, 0.9),
    SGD(0.1, 0.9, nesterov=True, weight_decay=0.1),
    Adam(0.01, weight_decay=0.1),
    AdamW(0.01),
    RMSprop(0.01),
    RMSprop(0.01, momentum=0.7),
    RMSprop(0.01, eps=1e-3, centered=True, momentum=0.7, weight_decay=0.1),
]
every_optimizer = pytest.mark.parametrize("opt", OPTIMIZERS, ids=repr)
every_backend = pytest.mark.parametrize("backend", ["cpu", "reference"])


def make(backend="cpu", dtype="float32", **settings):
    return Network([Dense(7), ReLU(), Dense(5), ReLU(), Dense(3)], (4,), backend=backend, dtype=dtype, **settings)


def bits(array):
    return array.tobytes()


def assert_same(net, twin):
    assert bits(net.parameters.flat) == bits(twin.parameters.flat)
    assert bits(net.gradients.flat) == bits(twin.gradients.flat)
    assert not net.gradients.flat.any()
    assert net.parameters.version == twin.parameters.version
    [state], [other] = net.optimizer_states.values(), twin.optimizer_states.values()
    assert (state.steps, state.hyper.tolist()) == (other.steps, other.hyper.tolist())
    assert {name: bits(store.flat) for name, store in state.stores.items()} == {
        name: bits(store.flat) for name, store in other.stores.items()
    }


def pair_of_steps(nets, opt, rng, **settings):
    net, twin = nets
    for flat in (net.gradients.flat, twin.gradients.flat):
        flat[...] = rng.normal(size=flat.size) if flat is net.gradients.flat else net.gradients.flat
    opt.step(net, zero=True, **settings)
    opt.step(twin, **settings)
    assert twin.gradients.flat.any()
    twin.zero_grad()


@every_optimizer
@every_backend
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_as_step_and_zero_grad(opt, backend, dtype):
    nets, rng = (make(backend, dtype), make(backend, dtype)), np.random.default_rng(0)
    for number in range(4):
        pair_of_steps(nets, opt, rng, lr=0.1 / (1 + number), clip=0.3, inverse_scale=0.25)
    assert_same(*nets)


@every_optimizer
@every_backend
@pytest.mark.parametrize("frozen", [("0",), ("4",), ("2.W",), ("0", "4"), ("0", "2", "4")])
def test_frozen_parameters_gradients_are_zeroed_too(opt, backend, frozen):
    """They are in no stretch that a kernel goes over; nor is what lies between the parameters."""
    nets, rng = (make(backend), make(backend)), np.random.default_rng(0)
    for net in nets:
        net.parameters.segments["2.b"].lr = 0.5
        for name in frozen:
            net.parameters.freeze(name)
    before = nets[0].parameters.snapshot()
    pair_of_steps(nets, opt, rng)
    assert_same(*nets)
    for name, segment in nets[0].parameters.segments.items():
        assert segment.frozen == np.array_equal(before[name], nets[0].parameters.views[name])


@every_backend
@pytest.mark.parametrize("settings", [{"lr": -0.1}, {"lr": float("nan")}, {"lr": float("inf")}])
def test_a_wrong_learning_rate_changes_nothing(backend, settings):
    net = make(backend)
    net.gradients.flat[...] = 1
    before = bits(net.parameters.flat)
    with pytest.raises(ConfigError):
        SGD(0.1, 0.9).step(net, zero=True, **settings)
    assert bits(net.parameters.flat) == before
    assert (net.gradients.flat == 1).all()
    assert not net.optimizer_states


@every_optimizer
@every_backend
def test_without_it_gradients_stay(opt, backend):
    net, rng = make(backend), np.random.default_rng(0)
    net.gradients.flat[...] = rng.normal(size=net.gradients.flat.size)
    before = bits(net.gradients.flat)
    opt.step(net)
    opt.step(net, zero=False)
    assert bits(net.gradients.flat) == before


@every_optimizer
@every_backend
def test_a_gradient_that_is_nan_is_zeroed(opt, backend):
    net = make(backend)
    net.gradients.flat[...] = np.nan
    opt.step(net, zero=True)
    assert not net.gradients.flat.any()


def train(net, opt, zero, steps=8):
    """The visible loop, from the third batch on replayed. The losses."""
    rng, loss, losses = np.random.default_rng(0), SoftmaxCrossEntropy(), []
    for _ in range(steps):
        logits, tape = net.forward(rng.normal(size=(6, 4)).astype(net.dtype), training=True)
        value, dlogits = loss(logits, rng.integers(0, 3, 6), tape)
        if not zero:
            net.zero_grad()
        net.backward(dlogits, tape)
        opt.step(net, clip=clip_factor(net, 0.5)[0], zero=zero)
        losses.append(float(value))
    return losses


@every_optimizer
def test_a_loop_without_zero_grad(opt):
    nets = make(), make()
    assert train(nets[0], opt, True) == train(nets[1], opt, False)
    nets[1].zero_grad()
    assert_same(*nets)


def test_cut_into_parts(monkeypatch):
    """As for several threads, on however many cores there are."""
    monkeypatch.setattr(kernels, "threads_of_pass", lambda elements: 3)
    nets, rng = (make(), make()), np.random.default_rng(0)
    pair_of_steps(nets, SGD(0.1, weight_decay=0.1), rng)
    assert_same(*nets)


@every_optimizer
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_gradients_of_any_strides_and_types(opt, dtype):
    """Every second element; the others stay. float16 runs on the reference."""
    net, rng = make(), np.random.default_rng(1)
    arrays = {name: rng.random(22).astype(dtype) for name in ("p", "g", *opt.slots)}
    g = arrays["g"].copy()
    state = {name: arrays[name][::2] for name in opt.slots}
    opt.update(net.k, arrays["p"][::2], arrays["g"][::2], state, np.array([0.1, 3.0, 0.5, 1.0]), 1.0, 1.0, True)
    assert not arrays["g"][::2].any()
    assert (arrays["g"][1::2] == g[1::2]).all()
