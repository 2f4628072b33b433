"""Fusion: what runs is rewritten; names, values, random numbers and errors stay those of the plain layers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scratchnet import Conv2d, Dense, Dropout, Flatten, MaxPool2d, Network, ReLU, Residual, Sequential, Tanh
from scratchnet.core import fusion
from scratchnet.core.errors import ConfigError, ShapeError
from scratchnet.core.fusion import Fused, FusedSequential, fuse, fuses
from scratchnet.layers.conv_relu_pool import ConvReLUPool
from scratchnet.layers.dense_relu import DenseReLU
from scratchnet_kernels import get_backend

CNN = [
    Conv2d(4, 3, padding=1), ReLU(), MaxPool2d(2), Dropout(0.25),
    Conv2d(5, 3, padding=1), ReLU(), MaxPool2d(2), Flatten(), Dense(3),
]  # fmt: skip


def both(layers, shape, **how):
    return Network(layers, shape, **how), Network(layers, shape, fuse=False, **how)


def step(net, x, dlogits):
    """(logits, dx, gradients) of one training step."""
    net.zero_grad()
    logits, tape = net.forward(x, training=True)
    logits = logits.copy()
    dx = net.backward(dlogits, tape, need_dx=True)
    return logits, dx.copy(), net.gradients.snapshot()


def assert_same(a, b, tolerance):
    for one, other in zip(a[:2], b[:2], strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)
    assert list(a[2]) == list(b[2])
    for name in a[2]:
        scale = max(1.0, np.abs(b[2][name]).max())
        np.testing.assert_allclose(a[2][name] / scale, b[2][name] / scale, rtol=0, atol=tolerance, err_msg=name)


@settings(max_examples=25)
@given(st.data())
def test_random_networks_compute_the_same_fused_and_plain(data):
    draw = lambda *options: data.draw(st.sampled_from(options))  # noqa: E731
    layers, blocks = [], draw(1, 2)
    for _ in range(blocks):
        kernel, stride = draw(1, 3, 3, 5), draw(1, 1, 2) if blocks == 1 else 1  # what fits the smallest image
        padding = draw(kernel // 2, 0, 2)
        conv = Conv2d(draw(1, 3, 8), kernel, stride=stride, padding=padding, bias=draw(True, False))
        layers += [conv, ReLU(), draw(MaxPool2d(2), MaxPool2d(2), MaxPool2d(3, 2, 1), MaxPool2d(2, ceil_mode=True))]
    shape = (draw(1, 2, 3, 6), draw(21, 24, 28), draw(22, 23, 27))
    seed = data.draw(st.integers(0, 2**16))
    rng = np.random.default_rng(seed)
    for backend, dtype, tolerance in (
        ("reference", "float64", 1e-13),
        ("cpu", "float64", 1e-12),
        ("cpu", "float32", 2e-5),
    ):
        fused, plain = both([*layers, Flatten(), Dense(3)], shape, backend=backend, dtype=dtype, seed=seed)
        for b in (name for name in plain.parameters.views if name.endswith(".b")):
            fused.parameters.views[b][...] = plain.parameters.views[b][...] = rng.normal(
                size=plain.parameters.views[b].shape
            )
        x = rng.normal(size=(draw(1, 3, 5), *shape)).astype(dtype)
        dlogits = rng.normal(size=(len(x), 3)).astype(dtype)
        assert isinstance(fused.program, FusedSequential)
        assert_same(step(fused, x, dlogits), step(plain, x, dlogits), tolerance)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_names_values_and_random_numbers_stay(backend):
    fused, plain = both(CNN, (1, 9, 8), seed=3, backend=backend, dtype="float64")
    assert [part.names for part in fused.program.parts] == [("0", "1", "2"), ("3",), ("4", "5", "6"), ("7",), ("8",)]
    assert plain.program is plain.body
    assert repr(fused) == repr(plain)
    assert list(fused.body.children()) == list(plain.body.children()) == [(str(i), f) for i, f in enumerate(CNN)]
    assert list(fused.parameters.views) == list(plain.parameters.views) == ["0.W", "0.b", "4.W", "4.b", "8.W", "8.b"]
    for name, view in fused.parameters.views.items():  # one seed, one start
        np.testing.assert_array_equal(view, plain.parameters.views[name])
    x = np.random.default_rng(0).normal(size=(6, 1, 9, 8))
    for _ in range(2):  # Dropout's numbers are keyed by its path and the count
        assert_same(step(fused, x, np.ones((6, 3))), step(plain, x, np.ones((6, 3))), 1e-13)
    plain.parameters.views["4.W"][...] *= 2
    fused.parameters.load(plain.parameters.snapshot())  # a checkpoint of one is one of the other
    np.testing.assert_allclose(fused.predict(x), plain.predict(x), rtol=1e-12)


def test_a_plan_records_the_fused_op_under_the_convolutions_name():
    fused, plain = both(CNN, (1, 9, 8))
    calls = [(c.op, c.path) for c in fused.record(4).forward if c.op != "dropout"]
    assert calls[:2] == [("conv2d_relu_max_pool2d", "0"), ("conv2d_relu_max_pool2d", "4")]
    assert "conv2d_relu_max_pool2d_backward" in [c.op for c in fused.record(4).backward]
    assert [c.op for c in plain.record(4).forward][:3] == ["conv2d", "relu", "max_pool2d"]
    assert fused.record(4).flops[0] == plain.record(4).flops[0]
    sizes = [sum(b.nbytes for b in net.record(4).buffers if b.kind == "tape") for net in (fused, plain)]
    assert sizes[0] < sizes[1] / 2  # the convolutions' outputs are not kept


def test_composites_are_rewritten_at_every_depth_and_left_as_they_were():
    inner = Sequential(Conv2d(2, 3, padding=1), ReLU(), MaxPool2d(3, 1, 1))
    layers = [Residual(inner, Sequential(Conv2d(2, 1))), Sequential(Sequential(ReLU())), Flatten(), Dense(2)]
    fused, plain = both(layers, (3, 6, 7), dtype="float64")
    assert type(fused.program.parts[0].layer.body) is FusedSequential
    assert fused.program.parts[1].layer is layers[1]  # nothing to fuse: the very layer
    assert type(layers[0].body) is Sequential
    x = np.random.default_rng(1).normal(size=(4, 3, 6, 7))
    assert_same(step(fused, x, np.ones((4, 2))), step(plain, x, np.ones((4, 2))), 1e-12)
    assert [c.path for c in fused.record(2).forward][:1] == ["0.body.0"]


def test_what_is_no_run_of_exactly_these_layers_stays_plain():
    class MyReLU(ReLU):
        pass

    cpu = get_backend("cpu")
    conv, pool = Conv2d(2, 3), MaxPool2d(2)
    for layers in ([conv, MyReLU(), pool], [conv, pool, ReLU()], [conv, ReLU()], [conv, ReLU(), Flatten(), pool], []):
        body = Sequential(*layers)
        assert fuse(body, cpu) is body
    many = fuse(Sequential(ReLU(), conv, ReLU(), pool, pool, conv, ReLU(), pool), cpu)
    assert [type(part.layer).__name__ for part in many.parts] == ["ReLU", "ConvReLUPool", "MaxPool2d", "ConvReLUPool"]
    assert [part.layer.first for part in many.parts if isinstance(part.layer, Fused)] == [1, 5]


def test_a_backend_without_the_op_runs_the_plain_layers(monkeypatch):
    cpu = get_backend("cpu")
    monkeypatch.setattr(cpu, "kernels", {k: f for k, f in cpu.kernels.items() if k not in ConvReLUPool.ops})
    body = Sequential(Conv2d(2, 3), ReLU(), MaxPool2d(2))
    assert fuse(body, cpu) is body


def test_two_fused_forms_of_one_run_are_refused(monkeypatch):
    monkeypatch.setattr(fusion, "PATTERNS", list(fusion.PATTERNS))
    with pytest.raises(ConfigError, match="two fused forms of Conv2d, ReLU, MaxPool2d"):
        fuses(Conv2d, ReLU, MaxPool2d)(ConvReLUPool)


def test_errors_name_the_plain_layer():
    with pytest.raises(ConfigError, match="fuse is True or False"):
        Network(CNN, (1, 9, 8), fuse="no")
    net = Network([ReLU(), *CNN], (1, 9, 8))
    net.views["1.W"] = np.zeros((4, 2, 3, 3), "f4")  # two channels, where x has one
    with pytest.raises(ShapeError, match="layer 1, op conv2d"):
        net.forward(np.zeros((2, 1, 9, 8), "f4"), training=False)


def test_frozen_and_tied_names_hold():
    layers = [Conv2d(1, 3, padding=1), ReLU(), MaxPool2d(2), Conv2d(1, 3, padding=1), ReLU(), MaxPool2d(2)]
    fused, plain = both(layers, (1, 12, 12), ties={"3.W": "0.W"}, dtype="float64")
    x, d = np.random.default_rng(0).normal(size=(3, 1, 12, 12)), np.ones((3, 1, 3, 3))
    assert_same(step(fused, x, d), step(plain, x, d), 1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dense_and_relu_in_one_go_give_the_same_bits(dtype):
    """Through walked, traced and replayed steps, on one thread and several, with dx and without."""
    layers = [Dense(300), ReLU(), Dense(40, bias=False), ReLU(), Tanh(), Dense(5), ReLU()]
    fused, plain = both(layers, (200,), dtype=dtype)
    assert [type(part.layer) for part in fused.program.parts].count(DenseReLU) == 3
    rng = np.random.default_rng(0)
    for batch in (1, 1, 1, 1, 33, 33, 33, 33):
        x, d = rng.normal(size=(batch, 200)).astype(dtype), rng.normal(size=(batch, 5)).astype(dtype)
        for need_dx in (False, True) if batch > 1 else (False,):
            found = []
            for net in (fused, plain):
                logits, tape = net.forward(x, training=True)
                logits = logits.copy()
                dx = net.backward(d, tape, need_dx=need_dx)
                found.append((logits.tobytes(), net.gradients.flat.tobytes(), dx.tobytes() if need_dx else None))
            assert found[0] == found[1]
    assert fused.predict(x).tobytes() == plain.predict(x).tobytes()


def test_a_plan_records_dense_and_relu_as_one_op():
    layers = [Dense(8), ReLU(), Dense(3)]
    fused, plain = both(layers, (5,), backend="reference")
    plan = fused.record(4)
    assert [(c.op, c.path) for c in plan.forward] == [("dense_relu", "0"), ("dense", "2")]
    assert [c.op for c in plan.backward] == ["dense_backward", "dense_relu_backward"]
    assert plan.flops == plain.record(4).flops
    assert str(fused.summary(4)).count("Dense(8)") == 1
