"""The Network's border, names, seeds, ties and accumulation."""

import copy

import numpy as np
import pytest

from scratchnet import SGD, BatchNorm1d, Dense, Dropout, Flatten, Network, ReLU, Sequential, SoftmaxCrossEntropy
from scratchnet.core import BackendError, ConfigError, DtypeError, ShapeError, TargetError
from scratchnet.core.run import SideInputs

LAYERS = (Dense(6), ReLU(), Dense(3))
x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
t = np.array([0, 1, 2, 1, 0])


def make(**settings):
    return Network(LAYERS, (4,), **({"backend": "reference"} | settings))


@pytest.mark.parametrize(
    ("bad", "error", "says"),
    [
        (x[:, :3], ShapeError, r"expected: \('N', 4\)"),
        (x[0], ShapeError, "one sample"),
        (x[:0], ShapeError, "batch is empty"),
        (x.reshape(5, 2, 2), ShapeError, "reshape"),
        (np.zeros((5, 4), np.uint8), DtypeError, "scale pixels first"),
        (np.zeros((5, 4), np.complex64), DtypeError, "takes floats"),
        (x.tolist(), DtypeError, "not an array"),
    ],
)
def test_the_border_refuses(bad, error, says):
    with pytest.raises(error, match=says):
        make().forward(bad, training=True)


def test_predict_refuses_an_empty_batch():
    with pytest.raises(ShapeError, match="empty"):
        make().predict(x[:0])


@pytest.mark.parametrize("batch_size", [0, -1, 2.0])
def test_predict_refuses_a_batch_size_without_meaning(batch_size):
    with pytest.raises(ConfigError, match="batch_size"):
        make().predict(x, batch_size=batch_size)


@pytest.mark.parametrize(
    ("bad", "error", "says"),
    [
        (np.ones((4, 4), np.float32), ShapeError, r"expected: \(5, 4\)"),
        (np.ones((5, 4)), DtypeError, r"astype\(np.float32\)"),
        ([[1.0] * 4] * 5, DtypeError, "not an array"),
    ],
)
def test_a_cotangent_unlike_the_logits_is_refused_whatever_the_last_layer(bad, error, says):
    net = Network([Flatten()], (2, 2), backend="reference")
    _, tape = net.forward(x.reshape(5, 2, 2), training=True)
    with pytest.raises(error, match=says):
        net.backward(bad, tape, need_dx=True)


def test_a_forward_that_raises_changes_nothing():
    net = Network([BatchNorm1d(), Dropout(0.5), Dense(2), BatchNorm1d()], (4,), backend="reference")
    twin = Network(net.body, (4,), backend="reference")
    for bad in (x[:1], x[:, :3]):  # refused by the first layer, and at the border
        with pytest.raises(ShapeError):
            net.forward(bad, training=True)
    assert net.count[0] == 0
    np.testing.assert_array_equal(net.forward(x, training=True)[0], twin.forward(x, training=True)[0])
    np.testing.assert_array_equal(net.buffers.flat, twin.buffers.flat)


def test_floats_of_another_width_are_cast():
    np.testing.assert_allclose(make().predict(x.astype(np.float64)), make().predict(x))


@pytest.mark.parametrize(
    ("bad", "error", "says"),
    [
        (np.array([0, 1, 3, 1, 0]), TargetError, r"targets\[2\]"),
        (np.array([0, 1, -1, 1, 0]), TargetError, r"0\.\.2"),
        (t[:4], ShapeError, "do not fit"),
        (t.astype(float), DtypeError, "whole numbers"),
        (np.full(5, -100), TargetError, "no mean"),
    ],
)
def test_the_loss_refuses(bad, error, says):
    with pytest.raises(error, match=says):
        SoftmaxCrossEntropy()(make().predict(x), bad)


def test_the_loss_refuses_an_empty_batch():
    with pytest.raises(ShapeError, match="empty"):
        SoftmaxCrossEntropy()(np.zeros((0, 3)), np.zeros(0, int))


def test_layers_that_do_not_fit_are_named_when_the_network_is_built():
    with pytest.raises(ShapeError, match=r"layer 1, Dense\(3\)"):
        Network([ReLU(), Dense(3)], (2, 3))


@pytest.mark.parametrize(
    "settings", [{"backend": "tpu"}, {"backend": "cuda"}, {"dtype": "int32"}, {"ties": {"2.W": "0.W"}}]
)
def test_settings_without_meaning_are_refused(settings):
    with pytest.raises((BackendError, ConfigError, ShapeError)):
        make(**settings)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"input_shape": 4}, r"input_shape=\(4,\)"),
        ({"input_shape": "abc"}, "whole numbers"),
        ({"input_shape": (-4,)}, "whole numbers"),
        ({"input_shape": (4.0,)}, "whole numbers"),
        ({"seed": -1}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"dtype": "float23"}, "computes in floats"),
    ],
)
def test_settings_of_another_kind_are_refused(settings, says):
    with pytest.raises(ConfigError, match=says):
        Network(LAYERS, **({"input_shape": (4,), "backend": "reference"} | settings))


@pytest.mark.parametrize("layer", [Dense, lambda x: x, "Dense"])
def test_what_is_no_layer_is_refused(layer):
    with pytest.raises(ConfigError, match="position 1"):
        Sequential(ReLU(), layer)


def test_the_seed_fixes_everything_and_names_key_the_draws():
    a, b, c = make(seed=1), make(seed=1), make(seed=2)
    np.testing.assert_array_equal(a.parameters.flat, b.parameters.flat)
    assert not np.array_equal(a.parameters.views["0.W"], c.parameters.views["0.W"])
    double = make(seed=1, dtype="float64")
    np.testing.assert_array_equal(double.parameters.views["0.W"].astype(np.float32), a.parameters.views["0.W"])


def test_weights_begin_he_normal_and_biases_at_zero():
    net = Network([Dense(500)], (400,), backend="reference")
    w, b = net.parameters.views["0.W"], net.parameters.views["0.b"]
    assert w.shape == (500, 400)
    assert abs(w.std() / np.sqrt(2 / 400) - 1) < 0.01
    assert not b.any()


def test_accumulating_two_halves_equals_the_whole_batch():
    loss = SoftmaxCrossEntropy(reduction="sum")
    whole, halves = make(dtype="float64"), make(dtype="float64")
    logits, tape = whole.forward(x, training=True)
    whole.backward(loss(logits, t, tape)[1], tape)
    for part in (slice(0, 2), slice(2, 5)):
        logits, tape = halves.forward(x[part], training=True)
        halves.backward(loss(logits, t[part], tape)[1], tape)
    np.testing.assert_allclose(halves.gradients.flat, whole.gradients.flat, rtol=1e-12, atol=1e-15)
    whole.zero_grad()
    assert not whole.gradients.flat.any()


def test_tied_weights_are_one_array_and_collect_both_gradients():
    net = Network([Dense(4), ReLU(), Dense(4)], (4,), backend="reference", dtype="float64", ties={"2.W": "0.W"})
    assert np.shares_memory(net.parameters.views["0.W"], net.parameters.views["2.W"])
    assert net.parameter_count == 4 * 4 + 4 + 4
    v, h = np.random.default_rng(1).normal(size=(4, 4)), 1e-6
    logits, tape = net.forward(x, training=True)
    dy = np.random.default_rng(2).normal(size=logits.shape)
    net.backward(dy, tape)
    analytic = (net.gradients.views["0.W"] * v).sum()
    w = net.parameters.views["0.W"]
    w += h * v
    up = (net.predict(x) * dy).sum()
    w -= 2 * h * v
    down = (net.predict(x) * dy).sum()
    assert abs((up - down) / (2 * h) - analytic) < 1e-7 * abs(analytic)


def test_frozen_parameters_stay_and_the_rest_moves():
    net = make()
    net.parameters.freeze("0")
    before = net.parameters.snapshot()
    logits, tape = net.forward(x, training=True)
    net.backward(SoftmaxCrossEntropy()(logits, t, tape)[1], tape)
    SGD(0.1).step(net)
    for name, view in net.parameters.views.items():
        assert np.array_equal(view, before[name]) == name.startswith("0."), name
    with pytest.raises(ConfigError, match="no parameter"):
        net.parameters.freeze("7")


def test_a_tied_parameter_is_frozen_under_all_of_its_names():
    net = Network([Dense(4), ReLU(), Dense(4)], (4,), backend="reference", ties={"2.W": "0.W"})
    assert net.parameters.freeze("2") == ["2.W", "2.b"]
    before = net.parameters.snapshot()
    for view in net.gradients.views.values():
        view.fill(1)
    SGD(0.1).step(net)
    moved = [name for name, view in net.parameters.views.items() if not np.array_equal(view, before[name])]
    assert moved == ["0.b"]


def test_loading_refuses_other_names_and_shapes_and_changes_nothing():
    net = make()
    before = net.parameters.flat.copy()
    good = net.parameters.snapshot()
    with pytest.raises(ConfigError, match=r"missing: 0\.W"):
        net.parameters.load({k: v for k, v in good.items() if k != "0.W"})
    with pytest.raises(ShapeError, match=r"2\.b"):
        net.parameters.load({k: v + 1 for k, v in good.items()} | {"2.b": np.zeros(4)})
    np.testing.assert_array_equal(net.parameters.flat, before)


def test_repr_is_a_table_of_the_network():
    assert "Dense(6),  # (4,) -> (6,)" in repr(make())


def test_views_are_aligned_and_padding_stays_zero():
    net = make()
    for view in net.parameters.views.values():
        assert view.__array_interface__["data"][0] % 64 == 0
    used = np.zeros(net.parameters.flat.size, bool)
    for s in net.parameters.segments.values():
        used[s.start : s.stop] = True
    for _ in range(3):
        logits, tape = net.forward(x, training=True)
        net.backward(SoftmaxCrossEntropy()(logits, t, tape)[1], tape)
        SGD(0.1, momentum=0.9, weight_decay=0.1).step(net)
    assert not used.all()
    assert not net.parameters.flat[~used].any()


def test_a_side_input_that_no_layer_reads_is_refused():
    from scratchnet import MultiHeadAttention

    sequence, mask = np.zeros((2, 3, 4), np.float32), np.ones((2, 3), bool)
    net = Network([MultiHeadAttention(2)], (3, 4), backend="reference")
    assert net.forward(sequence, training=False, mask=mask)[0].shape == (2, 3, 4)
    asked = SideInputs({"mask": mask})
    assert "mask" in asked
    assert asked["mask"] is mask
    assert asked.asked == {"mask"}
    with pytest.raises(ConfigError, match=r"expected: mask[\s\S]*actual:   msk"):
        net.forward(sequence, training=True, msk=mask)
    assert net.count[0] == 0
    with pytest.raises(ShapeError, match="mask"):
        net.forward(sequence, training=True, mask=mask[:1])


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_a_deep_copy_goes_on_as_the_original_and_alone(backend):
    layers = Dense(4), BatchNorm1d(), Dropout(0.3), ReLU(), Dense(4), Dense(3)
    net = Network(layers, (4,), backend=backend, ties={"4.W": "0.W"}, seed=3)
    net.parameters.freeze("4.b")
    opt, loss = SGD(0.1, momentum=0.9), SoftmaxCrossEntropy()

    def step(own):
        logits, tape = own.forward(x, training=True)
        _, dlogits = loss(logits, t, tape)
        own.zero_grad()
        own.backward(dlogits, tape)
        opt.step(own)

    for _ in range(4):  # the last of them replayed
        step(net)
    before = net.parameters.flat.copy()
    twin = copy.deepcopy(net)
    for _ in range(4):
        step(twin)
    np.testing.assert_array_equal(net.parameters.flat, before)
    for _ in range(4):
        step(net)
    for name in ("parameters", "gradients", "buffers"):
        np.testing.assert_array_equal(getattr(net, name).flat, getattr(twin, name).flat)
    assert not np.array_equal(net.parameters.flat, before)
    np.testing.assert_array_equal(net.views["4.b"], 0)
    assert net.count == twin.count
    assert net.optimizer_states["SGD"].steps == twin.optimizer_states["SGD"].steps == 8
