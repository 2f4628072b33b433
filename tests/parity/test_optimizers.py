"""Ten steps of every optimizer against torch, on both backends and in both widths."""

import numpy as np
import pytest

from scratchnet import SGD, Dense, Network, ReLU
from scratchnet.core.errors import ConfigError
from scratchnet.optim.adam import Adam
from scratchnet.optim.adamw import AdamW
from scratchnet.optim.rmsprop import RMSprop

torch = pytest.importorskip("torch", reason="parity needs the extra `parity`")

NAMES = ("0.W", "0.b", "2.W", "2.b")
PAIRS = {
    "sgd": (SGD(0.05), lambda p: torch.optim.SGD(p, 0.05)),
    "sgd, decay": (SGD(0.05, weight_decay=0.1), lambda p: torch.optim.SGD(p, 0.05, weight_decay=0.1)),
    "sgd, momentum": (
        SGD(0.05, 0.8, weight_decay=0.1),
        lambda p: torch.optim.SGD(p, 0.05, momentum=0.8, weight_decay=0.1),
    ),
    "sgd, nesterov": (
        SGD(0.05, 0.8, nesterov=True, weight_decay=0.1),
        lambda p: torch.optim.SGD(p, 0.05, momentum=0.8, nesterov=True, weight_decay=0.1),
    ),
    "adam": (Adam(), lambda p: torch.optim.Adam(p)),
    "adam, settings": (
        Adam(0.02, 0.7, 0.9, 1e-3, 0.2),
        lambda p: torch.optim.Adam(p, 0.02, (0.7, 0.9), 1e-3, weight_decay=0.2),
    ),
    "adamw": (AdamW(), lambda p: torch.optim.AdamW(p)),
    "adamw, settings": (
        AdamW(0.02, 0.7, 0.9, 1e-3, 0.2),
        lambda p: torch.optim.AdamW(p, 0.02, (0.7, 0.9), 1e-3, weight_decay=0.2),
    ),
    "rmsprop": (RMSprop(), lambda p: torch.optim.RMSprop(p)),
    "rmsprop, settings": (
        RMSprop(0.02, 0.9, 1e-3, 0.7, True, 0.2),
        lambda p: torch.optim.RMSprop(p, 0.02, 0.9, 1e-3, 0.2, 0.7, True),
    ),
    "rmsprop, momentum": (RMSprop(momentum=0.7), lambda p: torch.optim.RMSprop(p, momentum=0.7)),
    "rmsprop, centered": (
        RMSprop(eps=1e-2, centered=True),
        lambda p: torch.optim.RMSprop(p, eps=1e-2, centered=True),
    ),
}
TOLERANCE = {"float32": 3e-5, "float64": 1e-11}
"""Ten steps of size lr: a rounding in each, enlarged by the division by small roots."""

every_pair = pytest.mark.parametrize("name", PAIRS)
settings = pytest.mark.parametrize(
    ("backend", "dtype"), [("reference", "float64"), ("cpu", "float64"), ("reference", "float32"), ("cpu", "float32")]
)


def twins(backend, dtype):
    """The same small net twice."""
    net = Network([Dense(4), ReLU(), Dense(3)], (5,), backend=backend, dtype=dtype)
    for name in ("0.b", "2.b"):
        net.parameters.views[name][...] = np.linspace(-0.3, 0.4, net.parameters.views[name].size)
    model = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.ReLU(), torch.nn.Linear(4, 3))
    model = model.to(getattr(torch, dtype))
    with torch.no_grad():
        for name, parameter in zip(NAMES, model.parameters(), strict=True):
            parameter.copy_(torch.tensor(net.parameters.views[name]))
    return net, model


def step(net, model, x, dy):
    """Gradients of Σ dy·y in both."""
    _, tape = net.forward(x, training=True)
    net.zero_grad()
    net.backward(dy, tape)
    model.zero_grad()
    model(torch.tensor(x)).backward(torch.tensor(dy))


def train(net, model, ours, theirs, dtype, steps=10, **options):
    rng = np.random.default_rng(5)
    for _ in range(steps):
        step(net, model, rng.normal(size=(6, 5)).astype(dtype), rng.normal(size=(6, 3)).astype(dtype))
        ours.step(net, **options)
        theirs.step()


def assert_equal(net, model, dtype):
    for name, parameter in zip(NAMES, model.parameters(), strict=True):
        np.testing.assert_allclose(
            net.parameters.views[name], parameter.detach().numpy(), rtol=0, atol=TOLERANCE[dtype], err_msg=name
        )


@every_pair
@settings
def test_ten_steps(name, backend, dtype):
    net, model = twins(backend, dtype)
    before = net.parameters.flat.copy()
    ours, make = PAIRS[name]
    train(net, model, ours, make(model.parameters()), dtype)
    assert_equal(net, model, dtype)
    assert np.abs(net.parameters.flat - before).max() > 5e-3
    assert net.parameters.flat.dtype == dtype


@every_pair
@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_multipliers_and_frozen_parameters(name, backend):
    net, model = twins(backend, "float64")
    net.parameters.segments["0.W"].lr, net.parameters.segments["0.W"].decay = 0.5, 3.0
    net.parameters.segments["2.b"].decay = 0.0
    frozen = net.parameters.views["0.b"].copy()
    net.parameters.freeze("0.b")
    ours, make = PAIRS[name]
    p = dict(zip(NAMES, model.parameters(), strict=True))
    lr, decay = ours.lr, ours.weight_decay
    theirs = make(
        [
            {"params": [p["0.W"]], "lr": lr * 0.5, "weight_decay": decay * 3},
            {"params": [p["2.W"]]},
            {"params": [p["2.b"]], "weight_decay": 0.0},
        ]
    )
    train(net, model, ours, theirs, "float64")
    assert_equal(net, model, "float64")
    np.testing.assert_array_equal(net.parameters.views["0.b"], frozen)


@every_pair
@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_lr_clip_and_loss_scale_reach_the_kernel(name, backend):
    net, model = twins(backend, "float64")
    ours, make = PAIRS[name]
    theirs = make(model.parameters())
    for group in theirs.param_groups:
        group["lr"] = 0.007
    for parameter in model.parameters():
        parameter.register_hook(lambda g: g * (0.5 / 8))
    train(net, model, ours, theirs, "float64", lr=0.007, clip=0.5, inverse_scale=1 / 8)
    assert_equal(net, model, "float64")


@every_pair
def test_padding_between_parameters_stays_zero(name):
    net, model = twins("cpu", "float32")
    ours, make = PAIRS[name]
    train(net, model, ours, make(model.parameters()), "float32", steps=3)
    used = np.zeros(net.parameters.flat.size, bool)
    for segment in net.parameters.segments.values():
        used[segment.start : segment.stop] = True
    assert not used.all()
    assert not net.parameters.flat[~used].any()


@every_pair
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_nan_stays_a_nan_and_stays_alone(name, dtype):
    net, model = twins("cpu", dtype)
    ours, _ = PAIRS[name]
    step(net, model, np.ones((2, 5), dtype), np.ones((2, 3), dtype))
    net.gradients.views["2.W"][1, 2] = np.nan
    for _ in range(2):
        ours.step(net)
    assert np.argwhere(np.isnan(net.parameters.views["2.W"])).tolist() == [[1, 2]]
    assert np.isnan(net.parameters.flat).sum() == 1


def test_centered_rmsprop_survives_a_constant_gradient():
    """Rounding brings s - a² below zero, of which the root would be NaN."""
    for backend in ("reference", "cpu"):
        net, _ = twins(backend, "float32")
        net.gradients.flat[...] = np.linspace(0.1, 3, net.gradients.flat.size)
        for _ in range(300):
            RMSprop(alpha=0.5, centered=True, eps=1e-3).step(net)
        assert np.isfinite(net.parameters.flat).all()


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "rmsprop"])
def test_kernels_take_any_strides(name):
    """The same numbers, every second element of wider arrays."""
    ours = PAIRS[{"sgd": "sgd, momentum", "rmsprop": "rmsprop, settings"}.get(name, name)][0]
    net, _ = twins("cpu", "float64")
    rng = np.random.default_rng(1)
    slots = ("p", "g", *ours.slots)
    plain = {slot: rng.random(11) for slot in slots}
    wide = {slot: np.repeat(a, 2) for slot, a in plain.items()}
    hyper = np.array([0.1, 3.0, 0.5, 1.0])
    for arrays in (plain, {slot: a[::2] for slot, a in wide.items()}):
        state = {slot: arrays[slot] for slot in ours.slots}
        ours.update(net.k, arrays["p"], arrays["g"], state, hyper, 1.0, 1.0)
    for slot in slots:
        np.testing.assert_array_equal(wide[slot][::2], plain[slot])
        if slot != "g":
            assert np.any(wide[slot][1::2] != plain[slot])


@pytest.mark.parametrize(
    "make",
    [
        lambda: SGD(-0.1),
        lambda: SGD(0.1, 1.0),
        lambda: SGD(0.1, nesterov=True),
        lambda: Adam(-1e-3),
        lambda: Adam(beta1=1.0),
        lambda: Adam(beta2=-0.1),
        lambda: AdamW(weight_decay=-1.0),
        lambda: AdamW(eps=-1.0),
        lambda: RMSprop(alpha=1.0),
        lambda: RMSprop(momentum=-0.5),
    ],
)
def test_settings_without_meaning(make):
    with pytest.raises(ConfigError):
        make()
