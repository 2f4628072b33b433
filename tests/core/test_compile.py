"""net.compile: a step in one function leaves the network as the visible loop would."""

from dataclasses import dataclass

import numpy as np
import pytest

from scratchnet import (
    GELU,
    MSE,
    SGD,
    Adam,
    AdamW,
    Conv2d,
    Dense,
    Dropout,
    Flatten,
    LeakyReLU,
    MaxPool2d,
    Network,
    ReLU,
    RMSprop,
    Sequential,
    Sigmoid,
    SoftmaxCrossEntropy,
    Tanh,
)
from scratchnet.core import Layer, Normal, ParamSpec
from scratchnet.core.errors import ConfigError, DtypeError, ShapeError, TapeError, TargetError
from scratchnet.data import Augment, Batches, load
from scratchnet.optim import OneCycle
from scratchnet_kernels.cpu.step.build import get_num_threads

EPS = {"float32": 1.2e-7, "float64": 2.3e-16}
MLP = (Flatten(), Dense(9), ReLU(), Dense(4))
CONV = (Conv2d(2, 2), ReLU(), MaxPool2d((2, 1)), Flatten(), Dense(4))


def make(layers=MLP, shape=(1, 5, 3), seed=0, **settings):
    return Network(list(layers), input_shape=shape, seed=seed, **settings)


def samples(n, shape=(1, 5, 3), classes=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (n, *shape)).astype(np.uint8), rng.integers(0, classes, n)


def by_layers(net, loss, opt, images, targets, order, size, rates, scale):
    """The loop as a user writes it."""
    losses = []
    for s, lr in enumerate(rates):
        index = order[s * size : (s + 1) * size]
        x = images[index].astype(net.dtype) * net.dtype.type(scale)
        logits, tape = net.forward(x, training=True)
        value, dlogits = loss(logits, targets[index], tape)
        net.zero_grad()
        net.backward(dlogits, tape)
        opt.step(net, lr=lr)
        losses.append(float(value))
    return np.array(losses)


def pair(layers, loss, opt, size, *, dtype="float32", shape=(1, 5, 3), steps=20, seed=0, targets=None, rates=None):
    """The same steps compiled and through the layers: (net, losses) of each."""
    images, labels = samples(4 * size, shape, seed=seed)
    targets = labels if targets is None else targets
    order = np.random.default_rng(seed + 1).integers(0, 4 * size, steps * size)
    rates = np.full(steps, opt.lr) if rates is None else rates
    fast, slow = make(layers, shape, seed, dtype=dtype), make(layers, shape, seed, dtype=dtype)
    step = fast.compile(loss, opt, batch_size=size)
    assert step.compiled, step.reason
    losses = step.run(images, targets, order, scale=1 / 255, lr=rates).losses
    return (fast, losses), (slow, by_layers(slow, loss, opt, images, targets, order, size, rates, 1 / 255))


def assert_same(fast, slow, bits):
    (net, losses), (other, expected) = fast, slow
    eps = 0 if bits else 500 * EPS[str(net.dtype)]
    np.testing.assert_allclose(losses, expected, rtol=eps, atol=eps)
    np.testing.assert_allclose(net.parameters.flat, other.parameters.flat, rtol=eps, atol=eps)
    for state, expected_state in zip(net.optimizer_states.values(), other.optimizer_states.values(), strict=True):
        assert state.steps == expected_state.steps
        np.testing.assert_array_equal(state.hyper, expected_state.hyper)
        for name, store in state.stores.items():
            np.testing.assert_allclose(store.flat, expected_state.stores[name].flat, rtol=eps, atol=eps)
    assert net.count == other.count
    assert net.parameters.version == other.parameters.version


DEEP = (Flatten(), Dense(8), Tanh(), Dense(11, bias=False), Sigmoid(), Sequential(Dense(6), LeakyReLU()), Dense(4))


@pytest.mark.parametrize(
    ("layers", "opt", "size", "dtype", "bits"),
    [
        (MLP, SGD(lr=0.1), 1, "float32", False),
        (DEEP, SGD(lr=0.1), 1, "float64", False),
        (MLP, SGD(lr=0.1), 2, "float32", False),
        (DEEP, SGD(lr=0.1), 7, "float64", False),
        (MLP, SGD(lr=0.1, momentum=0.9, nesterov=True), 32, "float32", True),
        ((Flatten(), Dense(5), GELU(), Dense(4)), SGD(lr=0.1, weight_decay=0.01), 7, "float32", True),
        (MLP, Adam(lr=0.01), 1, "float32", False),
        (MLP, AdamW(lr=0.01, weight_decay=0.1), 7, "float64", True),
        (MLP, RMSprop(lr=0.01), 7, "float32", True),
        (MLP, RMSprop(lr=0.01, momentum=0.9, centered=True, weight_decay=0.1), 3, "float64", True),
        (DEEP, SGD(lr=0.1, momentum=0.9, weight_decay=0.01), 1, "float64", False),
    ],
)
def test_steps_are_those_of_the_layers(layers, opt, size, dtype, bits):
    for seed in (0, 1):
        assert_same(*pair(layers, SoftmaxCrossEntropy(), opt, size, dtype=dtype, seed=seed), bits)


@pytest.mark.parametrize("opt", [SGD(lr=0.1), SGD(lr=0.1, momentum=0.9)])
def test_on_one_thread_and_on_two(opt):
    import numba  # noqa: TID251

    layers, shape, many = (Flatten(), Dense(130), ReLU(), Dense(4)), (1, 28, 28), get_num_threads()
    found = []
    try:
        for threads in (1, min(2, many)):
            numba.set_num_threads(threads)
            fast, slow = pair(layers, SoftmaxCrossEntropy(), opt, 128, shape=shape, steps=5)
            assert_same(fast, slow, bits=opt.momentum > 0)
            again, _ = pair(layers, SoftmaxCrossEntropy(), opt, 128, shape=shape, steps=5)
            np.testing.assert_array_equal(fast[0].parameters.flat, again[0].parameters.flat)
            found.append(fast[0].parameters.flat)
    finally:
        numba.set_num_threads(many)
    np.testing.assert_allclose(*found, atol=1e-5)


def test_mean_squared_error_and_smoothing():
    rng = np.random.default_rng(0)
    assert_same(*pair(MLP, MSE(), SGD(lr=0.1), 3, targets=rng.normal(size=(12, 4)).astype("float32")), bits=False)
    loss = SoftmaxCrossEntropy(label_smoothing=0.1, reduction="sum")
    assert_same(*pair(MLP, loss, SGD(lr=0.01, momentum=0.5), 3), bits=True)


def test_layer_steps_compiled_steps_and_a_short_last_batch_take_turns():
    images, labels = samples(50)
    nets, loss, opt = (make(), make()), SoftmaxCrossEntropy(), SGD(lr=0.1, momentum=0.9)
    step = nets[0].compile(loss, opt, batch_size=8)
    losses = step.run(images, labels, scale=1 / 255).losses
    by = by_layers(nets[0], loss, opt, images, labels, np.arange(8), 8, [0.2], 1 / 255)
    rest = step.run(images, labels, np.arange(16), scale=1 / 255, lr=[0.1, 0.3])
    rates = [0.1] * 7 + [0.2] + [0.1, 0.3]
    order = np.concatenate([np.arange(48), np.full(8, -1)])
    first = by_layers(nets[1], loss, opt, images, labels, order[:48], 8, rates[:6], 1 / 255)
    last = by_layers(nets[1], loss, opt, images, labels, np.array([48, 49]), 8, rates[6:7], 1 / 255)
    more = by_layers(nets[1], loss, opt, images, labels, np.arange(8), 8, rates[7:8], 1 / 255)
    final = by_layers(nets[1], loss, opt, images, labels, np.arange(16), 8, rates[8:], 1 / 255)
    expected = np.concatenate([first, last, more, final])
    np.testing.assert_allclose(np.concatenate([losses, by, rest.losses]), expected, rtol=1e-5)
    np.testing.assert_allclose(nets[0].parameters.flat, nets[1].parameters.flat, atol=1e-6)
    assert nets[0].count == nets[1].count == 10


def test_an_epoch_of_batches_with_a_schedule():
    data = load("drawn", samples=100, val=0, seed=0)
    batches = Batches(data.train, 16, seed=3)
    rates, loss, opt = OneCycle(0.1, steps=2 * len(batches)), SoftmaxCrossEntropy(), SGD(lr=0.1)
    layers = (Flatten(), Dense(9), ReLU(), Dense(10))
    fast, slow = make(layers, data.input_shape), make(layers, data.input_shape)
    step, count, right = fast.compile(loss, opt, batch_size=16), 0, 0
    for epoch in (0, 1):
        made, losses = step.epoch(batches, epoch, lr=rates), []
        right = 0
        for x, y in batches.epoch(epoch):
            logits, tape = slow.forward(x, training=True)
            value, dlogits = loss(logits, y, tape)
            right += int((logits.argmax(1) == y).sum())
            slow.zero_grad()
            slow.backward(dlogits, tape)
            opt.step(slow, lr=rates(count))
            count += 1
            losses.append(float(value) * len(y))
        assert made.correct == right
        assert made.accuracy == right / len(data.train)
        assert made.loss == pytest.approx(sum(losses) / len(data.train), rel=1e-5)
    np.testing.assert_allclose(fast.parameters.flat, slow.parameters.flat, atol=1e-5)


def test_augmented_batches_run_through_the_layers_and_say_so():
    data = load("drawn", samples=50, val=0, seed=0)
    batches, plain = (Batches(data.train, 16, seed=3, augment=augment) for augment in (Augment(2, flip=True), None))
    loss, opt, layers = SoftmaxCrossEntropy(), SGD(lr=0.1), (Flatten(), Dense(9), ReLU(), Dense(10))
    fast, slow = make(layers, data.input_shape), make(layers, data.input_shape)
    step = fast.compile(loss, opt, batch_size=16)
    assert step.compiled
    for epoch in (0, 1):
        made, losses = step.epoch(batches, epoch), []
        assert "move or mirror" in made.reason
        for x, y in batches.epoch(epoch):
            logits, tape = slow.forward(x, training=True)
            value, dlogits = loss(logits, y, tape)
            slow.zero_grad()
            slow.backward(dlogits, tape)
            opt.step(slow)
            losses.append(float(value))
        np.testing.assert_array_equal(made.losses, losses)
    np.testing.assert_array_equal(fast.parameters.flat, slow.parameters.flat)
    assert step.epoch(plain, 2).reason == ""


@pytest.mark.parametrize(
    ("moves", "error"),
    [
        (np.zeros((3, 3), int), ShapeError),
        (np.zeros((4, 2), int), ShapeError),
        (np.zeros((4, 3)), DtypeError),
    ],
)
def test_moves_that_do_not_fit_are_refused(moves, error):
    images, labels = samples(4)
    step = make().compile(SoftmaxCrossEntropy(), SGD(lr=0.1), batch_size=2)
    with pytest.raises(error, match="moves"):
        step.run(images, labels, moves=moves)
    with pytest.raises(ShapeError, match="moves"):
        step.run(images.reshape(4, 15), labels, moves=np.zeros((4, 3), int))


def test_channels_are_scaled_and_shifted_each_by_its_own():
    images, labels = samples(6, (3, 2, 2))
    scale, shift = np.array([0.001, 0.01, 0.1], "float32"), np.array([1, 0, -1], "float32")
    nets, loss, opt = (make(shape=(3, 2, 2)), make(shape=(3, 2, 2))), SoftmaxCrossEntropy(), SGD(lr=0.1)
    made = nets[0].compile(loss, opt, batch_size=3).run(images, labels, scale=scale, shift=shift)
    scaled = images * scale[:, None, None] + shift[:, None, None]
    expected = by_layers(nets[1], loss, opt, scaled, labels, np.arange(6), 3, [0.1] * 2, 1)
    np.testing.assert_allclose(made.losses, expected, rtol=1e-5)
    with pytest.raises(ConfigError, match="shift"):
        nets[0].compile(loss, opt, batch_size=3).run(images, labels, shift=(1.0, 2.0))


@pytest.mark.parametrize(
    ("layers", "loss", "opt", "words"),
    [
        ((Flatten(), Dense(4), Dropout(0.25)), SoftmaxCrossEntropy(), SGD(lr=0.1), "layer 2, Dropout(rate=0.25)"),
        (MLP, SoftmaxCrossEntropy(class_weights=(1.0, 2.0, 1.0, 1.0)), SGD(lr=0.1), "class weights"),
        (CONV, SoftmaxCrossEntropy(), SGD(lr=0.1), "layer 0, Conv2d("),
    ],
)
def test_what_cannot_be_compiled_says_so_and_runs_through_the_layers(layers, loss, opt, words):
    images, labels = samples(8)
    nets = make(layers), make(layers)
    step = nets[0].compile(loss, opt, batch_size=4)
    assert not step.compiled
    assert words in step.reason
    assert words in repr(step)
    assert step.source == ""
    made = step.run(images, labels, scale=1 / 255)
    expected = by_layers(nets[1], loss, opt, images, labels, np.arange(8), 4, [opt.lr] * 2, 1 / 255)
    np.testing.assert_allclose(made.losses, expected, rtol=1e-5)
    assert made.reason == step.reason
    np.testing.assert_allclose(nets[0].parameters.flat, nets[1].parameters.flat, atol=1e-6)


class Clipped(SGD):
    def step(self, net, *, lr=None):
        super().step(net, lr=lr, clip=0.1)


def test_an_optimizer_from_elsewhere_keeps_its_own_step():
    """Its plan does not say that it clips."""
    images, labels = samples(8)
    nets, loss, opt = (make(), make()), SoftmaxCrossEntropy(), Clipped(0.1)
    step = nets[0].compile(loss, opt, batch_size=4)
    assert "not part of this package" in step.reason
    step.run(images, labels, scale=1 / 255)
    by_layers(nets[1], loss, opt, images, labels, np.arange(8), 4, [0.1] * 2, 1 / 255)
    np.testing.assert_allclose(nets[0].parameters.flat, nets[1].parameters.flat, atol=1e-6)


@dataclass(frozen=True, repr=False)  # and not @layer: no suite is to walk it
class Two(Layer):
    """Two products in one layer, or a product with what is no parameter: y = (x W1ᵀ) W2ᵀ, or x relu(W1)ᵀ."""

    first: int
    second: int = 0
    __module__ = "scratchnet.layers"  # else it would be walked

    def params(self, in_shape):
        names = {"W1": ParamSpec((self.first, *in_shape), Normal(0.3))}
        return names | ({"W2": ParamSpec((self.second, self.first), Normal(0.3))} if self.second else {})

    def out_shape(self, in_shape):
        return (self.second or self.first,)

    def forward(self, k, p, x, run):
        z, N = run.empty((len(x), self.first), x.dtype), len(x)
        if not self.second:
            V = run.empty(p["W1"].shape, x.dtype)
            k.relu(p["W1"], V)
            k.dense(x, V, None, z)
            return z, (x, V)
        y = run.empty((N, self.second), x.dtype)
        k.dense(x, p["W1"], None, z)
        k.dense(z, p["W2"], None, y)
        return y, (x, z)

    def backward(self, k, p, g, saved, dy, run):
        x, other = saved
        if not self.second:
            k.dense_backward(x, other, dy, g["W1"], None, None)  # straight through the ReLU
            return None
        dz = run.empty(other.shape, x.dtype)
        k.dense_backward(other, p["W2"], dy, g["W2"], None, dz)
        k.dense_backward(x, p["W1"], dz, g["W1"], None, None)
        return None


@pytest.mark.parametrize(("made", "size"), [(Two(6, 4), 4), (Two(6, 4), 1), (Two(128), 128)])
def test_layers_of_several_products(made, size):
    """Each product has its own table of rows; what has as many rows as there are samples is not for that a batch."""
    shape = (1, 28, 28) if size == 128 else (1, 5, 3)
    assert_same(*pair((Flatten(), made), SoftmaxCrossEntropy(), SGD(lr=0.01), size, shape=shape, steps=4), bits=False)


def test_learning_rates_of_their_own():
    nets = make(), make()
    images, labels = samples(12)
    for net in nets:
        net.parameters.segments["1.b"].lr = 0.0
    step = nets[0].compile(SoftmaxCrossEntropy(), SGD(lr=0.1), batch_size=4)
    assert step.compiled
    step.run(images, labels, scale=1 / 255)
    by_layers(nets[1], SoftmaxCrossEntropy(), SGD(lr=0.1), images, labels, np.arange(12), 4, [0.1] * 3, 1 / 255)
    np.testing.assert_allclose(nets[0].parameters.flat, nets[1].parameters.flat, atol=1e-6)
    assert not nets[0].views["1.b"].any()


def test_a_deep_network_is_written_down():
    layers = [Flatten(), *(part for _ in range(20) for part in (Dense(130), ReLU())), Dense(4)]
    step = make(layers, (1, 28, 28)).compile(SoftmaxCrossEntropy(), SGD(lr=0.1), batch_size=128)
    assert step.compiled, step.reason
    compile(step.source, step.path, "exec")


def test_ctrl_c_loses_no_step(monkeypatch):
    """A signal that comes while the kernel runs is raised when it returns: its steps have been made by then."""
    net, images_labels = make(), samples(12)
    step = net.compile(SoftmaxCrossEntropy(), SGD(lr=0.1, momentum=0.9), batch_size=4)
    _, tape = net.forward(np.zeros((2, 1, 5, 3), np.float32), training=True)
    run = step._kernel._run

    def interrupted(*given):
        run(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr(step._kernel, "_run", interrupted)
    count = int(net.count[0])
    with pytest.raises(KeyboardInterrupt):
        step.run(*images_labels, scale=1 / 255)
    assert net.optimizer_state(step.opt).steps == 3
    assert int(net.count[0]) == count + 3
    with pytest.raises(TapeError, match="changed"):
        net.backward(np.zeros((2, 4), np.float32), tape)


def test_frozen_and_tied_parameters():
    layers, loss, opt = (Flatten(), Dense(4), ReLU(), Dense(4), ReLU(), Dense(4)), SoftmaxCrossEntropy(), SGD(lr=0.1)
    images, labels = samples(12)
    nets = [make(layers, ties={"5.W": "3.W"}) for _ in range(2)]
    step = nets[0].compile(loss, opt, batch_size=3)
    assert step.compiled
    for frozen in (False, True):
        for net in nets:
            net.parameters.freeze("1", frozen)
        before = nets[0].parameters.views["1.W"].copy()
        step.run(images, labels, scale=1 / 255)
        by_layers(nets[1], loss, opt, images, labels, np.arange(12), 3, [0.1] * 4, 1 / 255)
        np.testing.assert_allclose(nets[0].parameters.flat, nets[1].parameters.flat, atol=1e-6)
        assert np.array_equal(before, nets[0].parameters.views["1.W"]) == frozen


def test_a_tape_from_before_a_compiled_step_is_refused():
    images, labels = samples(4)
    net = make()
    logits, tape = net.forward(images.astype("float32"), training=True)
    net.compile(SoftmaxCrossEntropy(), SGD(lr=0.1), batch_size=2).run(images, labels)
    with pytest.raises(TapeError):
        net.backward(logits, tape)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"targets": np.array([0, 1, 2, 4])}, TargetError),
        ({"targets": np.zeros(3, int)}, ShapeError),
        ({"images": np.zeros((4, 7), np.uint8)}, ShapeError),
        ({"images": np.zeros((4, 15), complex)}, DtypeError),
        ({"order": np.array([0, 4])}, ConfigError),
        ({"order": np.array([-1, 0])}, ConfigError),
        ({"order": np.array([0.5])}, DtypeError),
        ({"order": np.array([], int)}, ConfigError),
        ({"lr": np.nan}, ConfigError),
        ({"lr": [0.1, 0.1, 0.1]}, ConfigError),
        ({"scale": np.inf}, ConfigError),
    ],
)
def test_data_that_does_not_fit_is_refused_and_nothing_changes(change, error):
    images, labels = samples(4)
    net = make()
    step, before = net.compile(SoftmaxCrossEntropy(), SGD(lr=0.1), batch_size=2), net.parameters.flat.copy()
    with pytest.raises(error):
        step.run(**({"images": images, "targets": labels} | change))
    assert net.count == 0
    np.testing.assert_array_equal(net.parameters.flat, before)


def test_ignored_labels_count_for_nothing_and_a_batch_of_them_is_refused():
    images, labels = samples(8)
    labels[[0, 5]] = 0
    loss = SoftmaxCrossEntropy(ignore_index=0)
    labels[labels != 0] = 2
    labels[1:4] = 1
    nets = make(), make()
    losses = nets[0].compile(loss, SGD(lr=0.1), batch_size=4).run(images, labels, scale=1 / 255).losses
    expected = by_layers(nets[1], loss, SGD(lr=0.1), images, labels, np.arange(8), 4, [0.1] * 2, 1 / 255)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    with pytest.raises(TargetError, match="ignore_index"):
        nets[0].compile(loss, SGD(lr=0.1), batch_size=1).run(images, labels)


def test_a_batch_size_is_a_positive_whole_number():
    with pytest.raises(ConfigError, match="batch size"):
        make().compile(SoftmaxCrossEntropy(), SGD(lr=0.1), batch_size=0)
    batches = Batches(load("drawn", samples=20, val=0, seed=0).train, 4)
    step = make(shape=(1, 28, 28)).compile(SoftmaxCrossEntropy(), SGD(lr=0.1), batch_size=5)
    with pytest.raises(ConfigError, match="another size"):
        step.epoch(batches, 0)
