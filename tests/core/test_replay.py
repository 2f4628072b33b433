"""Replayed steps: the same bits as walked ones, for every use of a tape, and memory that comes back."""

import numpy as np
import pytest

from scratchnet import (
    SGD,
    BatchNorm2d,
    Conv2d,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    MaxPool2d,
    Network,
    ReLU,
    SoftmaxCrossEntropy,
    Tanh,
)
from scratchnet.core import Layer, layer
from scratchnet.core.errors import ScratchnetError, TapeError
from scratchnet.core.layer import LAYERS

DENSE = [Flatten(), Dense(8), ReLU(), Dropout(0.3), Dense(4), Tanh()]
CONV = [Conv2d(4, 3, padding=1), BatchNorm2d(), ReLU(), MaxPool2d(2), Flatten(), Dense(4)]
FUSED = [Conv2d(4, 3, padding=1), ReLU(), MaxPool2d(2), Flatten(), Dense(4)]
SHAPE = (2, 6, 6)


def make(layers=DENSE, *, replayed=True, shape=SHAPE, **settings):
    net = Network(layers, shape, seed=3, **settings)
    net._replays._tries *= replayed
    return net


def state(net):
    current = net._replays._current
    return "walked" if current is None else "ready" if current.ready else "traced"


def train(net, sizes, evaluate=(), **backward):
    """Steps of these sizes; losses, and after which steps the network had a step to replay."""
    rng, loss, opt, found, states = np.random.default_rng(0), SoftmaxCrossEntropy(), SGD(0.05, momentum=0.9), [], []
    for step, n in enumerate(sizes):
        x = rng.normal(size=(n, *net.input_shape)).astype(net.dtype)
        logits, tape = net.forward(x, training=True)
        value, dlogits = loss(logits, rng.integers(0, 4, n), tape)
        net.zero_grad()
        dx = net.backward(dlogits, tape, **backward)
        found += [float(value), *(() if dx is None else dx.ravel())]
        opt.step(net)
        states.append(state(net))
        if step in evaluate:
            found += list(net.predict(x).ravel())
    return found, states


@pytest.mark.parametrize("layers", [DENSE, CONV, FUSED], ids=["dense", "conv", "fused"])
@pytest.mark.parametrize("backend", ["cpu", "reference"])
@pytest.mark.parametrize(
    ("sizes", "evaluate", "expected"),
    [
        ([6] * 5, (), ["walked", "ready", "ready", "ready", "ready"]),
        ([6, 6, 6, 2, 6, 6, 6], (), ["walked", "ready", "ready", "walked", "walked", "ready", "ready"]),
        ([6] * 6, (2,), ["walked", "ready", "ready", "walked", "ready", "ready"]),
    ],
    ids=["alike", "ragged", "evaluated between"],
)
def test_replayed_steps_have_the_bits_of_walked_ones(layers, backend, sizes, evaluate, expected):
    nets = [make(layers, replayed=replayed, backend=backend) for replayed in (True, False)]
    (found, states), (walked, never) = (train(net, sizes, evaluate) for net in nets)
    assert states == expected
    assert set(never) == {"walked"}
    np.testing.assert_array_equal(found, walked)
    for store in ("parameters", "gradients", "buffers"):
        np.testing.assert_array_equal(getattr(nets[0], store).flat, getattr(nets[1], store).flat)
    assert nets[0].count == nets[1].count
    assert nets[0].k.workspace.nbytes == nets[1].k.workspace.nbytes


def test_dx_is_asked_of_a_replayed_forward():
    nets = make(), make(replayed=False)
    for net in nets:
        train(net, [6] * 3)
    assert state(nets[0]) == "ready"
    found = [train(net, [6] * 3, need_dx=True)[0] for net in nets]
    np.testing.assert_array_equal(*found)


def test_a_kept_tape_goes_back_twice():
    nets = make(), make(replayed=False)
    rng = np.random.default_rng(0)
    for net in nets:
        rng = np.random.default_rng(0)
        for _ in range(4):
            x, dlogits = rng.normal(size=(6, *SHAPE)).astype("float32"), rng.normal(size=(6, 4)).astype("float32")
            _, tape = net.forward(x, training=True)
            net.backward(dlogits, tape, keep=True)
            net.backward(2 * dlogits, tape)
            with pytest.raises(TapeError):
                net.backward(dlogits, tape)
    assert state(nets[0]) == "ready"
    np.testing.assert_array_equal(nets[0].gradients.flat, nets[1].gradients.flat)


def test_two_tapes_at_once():
    """The second forward of a step that is in use is walked, in memory of its own."""
    nets = make(), make(replayed=False)
    for net in nets:
        train(net, [6] * 3)
        rng = np.random.default_rng(1)
        xs = rng.normal(size=(2, 6, *SHAPE)).astype("float32")
        (first, tape_1), (second, tape_2) = (net.forward(x, training=True) for x in xs)
        assert tape_1.replay is net._replays._current
        assert tape_2.replay is None
        assert not np.may_share_memory(first, second)
        net.backward(first.copy(), tape_1)
        net.backward(second.copy(), tape_2)
    np.testing.assert_array_equal(nets[0].gradients.flat, nets[1].gradients.flat)


def test_what_the_layers_saved_can_be_read_of_a_replayed_tape():
    net = make([Flatten(), Dense(4)])
    train(net, [6] * 3)
    x = np.random.default_rng(5).normal(size=(6, *SHAPE)).astype("float32")
    _, tape = net.forward(x, training=True)
    assert tape.replay.ready
    np.testing.assert_array_equal(tape.saved.children[1].x, x.reshape(6, -1))


def test_a_tape_that_is_dropped_ends_the_trace_and_gives_its_memory_back():
    net, x = make(), np.ones((6, *SHAPE), np.float32)
    for _ in range(2):
        net.forward(x, training=True)
    made = net.pool.made
    for _ in range(20):
        net.forward(x, training=True)
    assert net.pool.made == made
    assert state(net) == "walked"


def test_the_pool_does_not_grow():
    net = make(CONV)
    train(net, [6, 6, 6, 2, 6], evaluate=(4,))
    made = net.pool.made
    train(net, [6, 6, 6, 2, 6] * 4, evaluate=(4, 9))
    assert net.pool.made <= made + 5  # what the loss leases beside a step that holds its memory


def test_an_input_is_let_go_when_the_tape_is_spent():
    net = make([Flatten(), Dense(4)])
    train(net, [6] * 3)
    replay = net._replays._current
    held = [arg for call in replay.forward.calls + replay.backward.calls for arg in call.args]
    assert any(arg is None for arg in held)
    assert not any(np.shape(arg) == (6, 72) for arg in held)


def test_logits_that_are_their_own_cotangent_are_not_replayed():
    """Where x, logits and dlogits are one array, nobody can say which of them an op reads."""
    nets = make(), make(replayed=False)
    for net in nets:
        for seed in range(4):
            x = np.random.default_rng(seed).normal(size=(6, *SHAPE)).astype("float32")
            logits, tape = net.forward(x, training=True)
            net.backward(logits if seed < 2 else logits.copy() * 2, tape)
    np.testing.assert_array_equal(nets[0].gradients.flat, nets[1].gradients.flat)


@pytest.mark.parametrize("layout", ["strided", "Fortran", "float64"])
def test_inputs_anywhere_in_memory(layout):
    nets = make(FUSED), make(FUSED, replayed=False)
    for net in nets:
        for seed in range(5):
            x = np.random.default_rng(seed).normal(size=(6, *SHAPE)).astype("float32")
            x = {"strided": np.repeat(x, 2, -1)[..., ::2], "Fortran": np.asfortranarray(x), "float64": x.astype(float)}
            logits, tape = net.forward(x[layout], training=True)
            net.backward(logits.copy(), tape)
    np.testing.assert_array_equal(nets[0].gradients.flat, nets[1].gradients.flat)


def test_a_backward_that_was_interrupted_while_it_was_traced():
    """What it had noted down is forgotten when the backward is tried again."""
    nets = make(), make(replayed=False)
    for net in nets:
        rng = np.random.default_rng(0)
        for step in range(4):
            x, dlogits = rng.normal(size=(6, *SHAPE)).astype("float32"), rng.normal(size=(6, 4)).astype("float32")
            _, tape = net.forward(x, training=True)
            if step == 1:
                dropout = net.k.dropout_backward

                def fails(*args):
                    raise KeyboardInterrupt

                net.k.__dict__["dropout_backward"] = fails  # behind those of Tanh and Dense
                with pytest.raises(KeyboardInterrupt):
                    net.backward(dlogits, tape)
                net.k.__dict__["dropout_backward"] = dropout
                net.zero_grad()
            net.backward(dlogits, tape)
    assert state(nets[0]) == "ready"
    np.testing.assert_array_equal(nets[0].gradients.flat, nets[1].gradients.flat)


def test_another_form_while_a_tape_is_out():
    """The step in use is retired: its memory comes back with its tape, and the other form is traced meanwhile."""
    nets = make(), make(replayed=False)
    x, made = np.random.default_rng(1).normal(size=(6, *SHAPE)).astype("float32"), []
    for net in nets:
        for _ in range(6):
            train_without_update(net, 6)
            logits, tape = net.forward(x, training=True)
            looked_at = logits.copy()
            train_without_update(net, 2)
            np.testing.assert_array_equal(logits, looked_at)
            net.backward(logits.copy(), tape)
            made.append(net.pool.made)
    assert state(nets[0]) == "ready"
    assert made[1] == made[5]
    np.testing.assert_array_equal(nets[0].gradients.flat, nets[1].gradients.flat)


def train_without_update(net, n):
    for seed in range(4):
        x = np.random.default_rng(seed).normal(size=(n, *SHAPE)).astype("float32")
        logits, tape = net.forward(x, training=True)
        net.backward(logits.copy(), tape)


def test_parameters_as_input_are_not_replayed():
    nets = [make([Dense(6)], shape=(6,), replayed=replayed) for replayed in (True, False)]
    for net in nets:
        for seed in range(4):
            W = net.views["0.W"]
            x = W if seed < 2 else np.random.default_rng(seed).normal(size=(6, 6)).astype("float32")
            logits, tape = net.forward(x, training=True)
            net.backward(logits.copy(), tape)
    np.testing.assert_array_equal(nets[0].gradients.flat, nets[1].gradients.flat)


def test_what_somebody_puts_into_the_table_is_called():
    net = make()
    calls, tanh = [], net.k.tanh
    net.k.__dict__["tanh"] = lambda *args: (calls.append(1), tanh(*args))
    train(net, [6] * 5)
    assert state(net) == "ready"
    assert len(calls) == 5


def test_another_seed_is_another_step():
    nets = make(), make(replayed=False)
    found = []
    for net in nets:
        train(net, [6] * 3)
        net.seed = 7
        found.append(train(net, [6] * 3)[0])
    np.testing.assert_array_equal(*found)


def test_an_error_in_a_replayed_step_names_its_layer():
    net = make([Embedding(5, 3), Flatten(), Dense(4)], shape=(2,))
    ids = np.ones((6, 2), np.int64)
    for _ in range(3):
        logits, tape = net.forward(ids, training=True)
        net.backward(logits.copy(), tape)
    assert state(net) == "ready"
    count, bad = net.count.copy(), ids * 7
    with pytest.raises(ScratchnetError, match="layer 0") as replayed:
        net.forward(bad, training=True)
    assert net.count == count
    walked = make([Embedding(5, 3), Flatten(), Dense(4)], shape=(2,))
    with pytest.raises(ScratchnetError) as expected:
        walked.forward(bad, training=True)
    assert str(replayed.value) == str(expected.value)
    del replayed
    logits, tape = net.forward(ids, training=True)
    net.backward(logits.copy(), tape)


def test_layers_from_elsewhere_are_walked():
    """A layer that nobody has checked may do things outside k: here it draws its own numbers."""

    @layer
    class Noise(Layer):
        def forward(self, k, p, x, run):
            y = run.empty(x.shape, x.dtype)
            k.copy(x, y)
            y += next(numbers)
            return y, None

        def backward(self, k, p, g, saved, dy, run):
            return dy

    numbers = iter(range(100))
    try:
        net = make([Flatten(), Noise(), Dense(4)])
        for n in range(5):
            logits, tape = net.forward(np.zeros((6, *SHAPE), np.float32), training=True)
            np.testing.assert_allclose(logits, n * net.views["2.W"].sum(1)[None].repeat(6, 0), rtol=1e-5, atol=1e-5)
            net.backward(logits.copy(), tape)
        assert state(net) == "walked"
    finally:
        del LAYERS["Noise"]


def test_replayed_memory_is_poisoned(monkeypatch):
    """What an op does not write anew in a replayed step is NaN, so no step can live on what the last one left."""
    monkeypatch.setenv("SCRATCHNET_DEBUG", "1")
    net = make()
    assert train(net, [6] * 3)[1][-1] == "ready"
    slabs = net._replays._current.memory.slabs
    written = [slab.copy() for slab in slabs]
    net._replays.of(net, np.ones((6, *SHAPE), np.float32), training=True, plain=True)
    assert all(np.isnan(slab).all() for slab in slabs if slab.dtype.kind == "f")
    assert not all(np.isnan(slab).all() for slab in written if slab.dtype.kind == "f")
