"""What a look says, held against NumPy and against the network's own gradient."""

import math

import numpy as np
import pytest

import scratchnet as sn
from scratchnet import SGD, Dense, Network, ReLU
from tests.train.loops import batch, looked, train

CLOSE = pytest.approx


def norm(*arrays):
    return math.sqrt(sum(float((np.asarray(a, np.float64) ** 2).sum()) for a in arrays))


def test_a_dense_net_by_hand():
    x, y = batch((6,), n=24, dtype="float64")
    net = {"dtype": "float64", "seed": 4}
    look, own = looked([Dense(8), ReLU(), Dense(3)], x, y, net=net, optimizer=SGD(0.5))
    W1, b1, W2, b2 = (own.parameters.views[name] for name in ("0.W", "0.b", "2.W", "2.b"))
    a = x @ W1.T + b1
    h = np.maximum(a, 0)
    z = h @ W2.T + b2
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    d = p - np.eye(3)[y]
    d2, dh = d / 24, d / 24 @ W2
    d1 = dh * (h > 0)
    assert look.inputs.norm == CLOSE(np.sqrt((x**2).sum(1)).mean())
    assert (look.inputs.minimum, look.inputs.maximum) == CLOSE((x.min(), x.max()))
    assert (look.inputs.mean, look.inputs.std) == CLOSE((x.mean(), x.std()))
    assert (look.inputs.constant, look.inputs.features, look.inputs.nonfinite) == (0, 6, 0)
    out = look.outputs
    assert (out.mean, out.std, out.entropy) == CLOSE((z.mean(), z.std(), -(p * np.log(p)).sum(1).mean()))
    assert out.correct == (z.argmax(1) == y).sum()
    assert (out.top_class, out.top_share) == (np.bincount(z.argmax(1)).argmax(), np.bincount(z.argmax(1)).max() / 24)
    assert out.error == CLOSE(np.sqrt((d**2).sum(1)).mean())
    assert out.loss == CLOSE(look.loss) == CLOSE(-np.log(p[np.arange(24), y]).mean())
    assert (out.classes, out.normalised, out.nonfinite) == (3, False, 0)
    w = look.parameters["0.W"]
    dW1, dW2 = d1.T @ x, d2.T @ h
    assert (w.size, w.fan_in, w.frozen, w.alike, w.nonfinite) == (48, 6, False, 0.0, 0)
    assert (w.weight, w.std) == CLOSE((norm(W1), W1.std()))
    assert (w.gradient, w.fresh, w.update) == CLOSE((norm(dW1), norm(dW1), 0.5 * norm(dW1)))
    assert (w.ratio, w.cosine) == CLOSE((1, 1))
    assert (w.input, w.error, w.alignment) == CLOSE((norm(x), norm(d1), norm(dW1) / norm(x) / norm(d1)))
    v = look.parameters["2.W"]
    assert (v.input, v.error, v.gradient) == CLOSE((norm(h), norm(d2), norm(dW2)))
    b = look.parameters["0.b"]
    assert (b.fan_in, b.input, b.alike) == (None, None, None)
    assert b.gradient == CLOSE(norm(d1.sum(0)))
    first, relu, last = look.layers
    assert [layer.path for layer in look.layers] == ["0", "1", "2"]
    assert (first.layer, first.kind, first.units) == ("Dense(8)", "Dense", 8)
    assert (first.mean, first.std, first.zero, first.never) == (CLOSE(a.mean()), CLOSE(a.std()), 0, None)
    assert (first.gradient, first.gain) == (CLOSE(norm(d1)), None)
    assert (relu.zero, relu.dead) == CLOSE(((h == 0).mean(), (h == 0).all(0).mean()))
    assert (relu.gradient, relu.gain) == CLOSE((norm(dh), norm(d1) / norm(dh)))
    assert (last.gradient, last.gain) == CLOSE((norm(d2), norm(dh) / norm(d2)))
    assert (look.step, look.epoch, look.lr, look.batch, look.training) == (1, 1, 0.5, 24, True)
    assert look.class_counts == tuple(np.bincount(y, minlength=3))
    assert look.outside == 0


def test_a_single_sample_has_alignment_one():
    """‖dW‖ = ‖d‖·‖x‖ and ‖dW‖/‖db‖ = ‖x‖: what told the truth in raw pixels."""
    x, y = batch((6,), n=1)
    look, _ = looked([Dense(8), ReLU(), Dense(3)], 255 * x, y)
    w, b = look.parameters["0.W"], look.parameters["0.b"]
    assert w.alignment == CLOSE(1, rel=1e-6)
    assert w.input == CLOSE(w.gradient / b.gradient, rel=1e-6) == CLOSE(look.inputs.norm, rel=1e-6)


CONVS = [
    sn.Conv2d(4, 3), sn.Conv2d(4, (3, 2), stride=(2, 1), padding=(1, 2)), sn.Conv2d(4, 3, dilation=2, padding="same"),
    sn.Conv2d(4, 3, groups=2, stride=2), sn.Conv2d(4, 7, stride=3, padding=1),
]  # fmt: skip


@pytest.mark.parametrize("conv", CONVS, ids=repr)
def test_the_factors_of_a_convolution_are_those_of_its_patches(conv):
    from numpy.lib.stride_tricks import sliding_window_view

    x, y = batch((2, 9, 8), n=5, dtype="float64")
    look, _ = looked([conv, sn.Flatten(), Dense(3)], x, y, net={"dtype": "float64"})
    padded = np.pad(x, ((0, 0), (0, 0), *conv.pads))
    (sh, sw), (dh, dw) = (v if isinstance(v, tuple) else (v, v) for v in (conv.stride, conv.dilation))
    kh, kw = conv.kernel if isinstance(conv.kernel, tuple) else (conv.kernel,) * 2
    windows = sliding_window_view(padded, (dh * (kh - 1) + 1, dw * (kw - 1) + 1), (2, 3))[:, :, ::sh, ::sw, ::dh, ::dw]
    w = look.parameters["0.W"]
    assert w.input == CLOSE(norm(windows))
    assert w.error == CLOSE(look.layers[0].gradient)
    assert 0 < w.alignment <= 1
    assert w.alignment * w.input * w.error == CLOSE(w.fresh)


def test_the_factors_of_conv1d():
    x, y = batch((2, 9), n=5, dtype="float64")
    look, _ = looked([sn.Conv1d(4, 3, stride=2), sn.Flatten(), Dense(3)], x, y, net={"dtype": "float64"})
    windows = np.lib.stride_tricks.sliding_window_view(x, 3, 2)[:, :, ::2]
    assert look.parameters["0.W"].input == CLOSE(norm(windows))
    assert look.layers[0].units == 4
    look, _ = looked([sn.Conv1d(4, 3), ReLU(), sn.Tanh(), sn.Flatten(), Dense(3)], x, y)
    assert [layer.units for layer in look.layers] == [4, 4, 4, 28, 3]  # what follows keeps the channels


def test_every_look_measures_anew():
    data = [batch(seed=i) for i in range(3)]
    net, after = (Network([Dense(8), ReLU(), Dense(3)], (6,)) for _ in range(2))
    monitor, _ = train(net, data, optimizer=SGD(0.7))
    train(after, data[:2], optimizer=SGD(0.7))
    third, (x, _) = monitor.history.looks[2], data[2]
    assert third.parameters["0.W"].weight == CLOSE(norm(after.parameters.views["0.W"]), rel=1e-6)
    assert third.inputs.std == CLOSE(x.std(), rel=1e-5)
    assert third.parameters["0.W"].input == CLOSE(norm(x), rel=1e-6)
    assert third.parameters["0.W"].update == CLOSE(0.7 * third.parameters["0.W"].gradient, rel=1e-4)


def test_paths_and_units_of_nested_layers():
    x, y = batch((1, 6, 6), n=8)
    residual = sn.Residual(sn.Sequential(sn.Conv2d(4, 3, padding=1), ReLU()), sn.Conv2d(4, 1))
    look, _ = looked([residual, sn.Reshape((36, 4)), sn.LSTM(5, last=True), Dense(3)], x, y)
    units = {layer.path: layer.units for layer in look.layers}
    assert units == {"0.body.0": 4, "0.body.1": 4, "0.body": 4, "0.shortcut": 4, "0": 4, "1": 4, "2": 5, "3": 3}
    assert [layer.path for layer in look.layers] == list(units)
    assert set(look.parameters) >= {"0.body.0.W", "0.shortcut.b", "2.W_ih", "3.W"}
    assert look.parameters["2.W_ih"].input is None
    assert look.parameters["2.W_ih"].fan_in == 4


def test_fused_layers_are_seen_apart():
    x, y = batch((1, 8, 8), n=8)
    layers = [sn.Conv2d(4, 3, padding=1), ReLU(), sn.MaxPool2d(2), sn.Flatten(), Dense(3)]
    look, net = looked(layers, x, y)
    assert net.program is not net.body
    assert [layer.kind for layer in look.layers] == ["Conv2d", "ReLU", "MaxPool2d", "Flatten", "Dense"]
    assert look.parameters["0.W"].ratio == CLOSE(1, rel=1e-5)
