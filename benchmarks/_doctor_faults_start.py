"""Faults of the network as it starts: initial weights and biases, depth, activations."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from _doctor_base import ACTIVATIONS, Wants
from _doctor_data import BENT, PICTURES, Rng
from _doctor_rules import fault, slower, starts_far, worse
from _doctor_setup import Setup, hidden_biases, map_layers, weights

from scratchnet import Network
from scratchnet.core import Constant, GlorotUniform, HeNormal, Layer, Normal, Zeros
from scratchnet.layers import Conv2d, Dense, Residual, Sequential

RECTIFIED = ("ReLU",)
PLAIN = Wants(norms=("",), nets=("mlp", "mlp", "cnn", "deep"))
SQUASHED = Wants(norms=("",), nets=("mlp", "mlp", "deep"), activations=("Tanh", "Sigmoid"))


def start_with(s: Setup, init: Any, hidden_only: bool = False) -> None:
    """Every weight by this initialiser."""
    head = s.layers[-1]
    s.layers = map_layers(s.layers, lambda x: replace(x, init=init) if isinstance(x, Dense | Conv2d) else x)
    if hidden_only:
        s.layers[-1] = head


def scaled(factor: float, which: Callable[[list[str]], list[str]]) -> Callable[[Network], None]:
    """Weights larger or smaller than they should be."""

    def change(net: Network) -> None:
        for name in which(weights(net)):
            net.parameters.views[name][...] *= factor

    return change


@fault("initial-loss", starts_far)
def a_head_that_prefers_a_class(s: Setup, rng: Rng) -> str:
    """The last bias starts far out for one class."""
    size, c = rng.uniform(5, 25), int(rng.integers(s.task.classes))

    def change(net: Network) -> None:
        net.parameters.views[f"{len(s.layers) - 1}.b"][c] = size

    s.at_start.append(change)
    return f"{size:.0f}"


@fault("initial-loss", starts_far)
def a_head_with_wild_biases(s: Setup, rng: Rng) -> str:
    """The last biases are drawn far too wide."""
    std, key = rng.uniform(4, 15), int(rng.integers(1 << 30))

    def change(net: Network) -> None:
        bias = net.parameters.views[f"{len(s.layers) - 1}.b"]
        bias[...] = np.random.default_rng(key).normal(0, std, bias.shape)

    s.at_start.append(change)
    return f"{std:.0f}"


@fault("wrong-fan", slower, Wants(norms=("",), nets=("mlp", "mlp", "cnn"), widths=(16, 24, 32), tasks=PICTURES),
       second=("initial-loss", "huge-init"))  # fmt: skip
def fan_out_everywhere(s: Setup, rng: Rng) -> None:
    """Kaiming with fan_out: the units of a layer, not its inputs."""
    start_with(s, HeNormal(mode="fan_out"))


@fault("wrong-fan", starts_far, Wants(norms=("",), nets=("mlp", "cnn"), widths=(100, 128, 200, 256)),
       second=("initial-loss", "huge-init"))  # fmt: skip
def fan_out_at_the_head(s: Setup, rng: Rng) -> None:
    """Few outputs make the last weights wide."""
    head = s.layers[-1]
    assert isinstance(head, Dense)
    s.layers[-1] = replace(head, init=HeNormal(mode="fan_out"))


@fault("zero-init", worse, replace(PLAIN, nets=("mlp", "cnn", "deep", "residual")), second=("frozen-parameters", "plateau"))
def all_weights_zero(s: Setup, rng: Rng) -> None:
    """Only the last bias can move."""
    start_with(s, Zeros())


@fault("zero-init", worse, PLAIN, second=("frozen-parameters", "dead-relu"))
def hidden_weights_zero(s: Setup, rng: Rng) -> None:
    """The head is drawn, the rest is zero."""
    start_with(s, Zeros(), hidden_only=True)


@fault("zero-init", worse, replace(PLAIN, nets=("mlp", "deep", "cnn")), second=("vanishing-gradients", "plateau"))
def nearly_zero(s: Setup, rng: Rng) -> str:
    """So small that signals are lost in the layers."""
    std = 10 ** -rng.uniform(4, 8)
    start_with(s, Normal(std))
    return f"{std:.0e}"


@fault("huge-init", slower, replace(PLAIN, nets=("mlp", "mlp", "cnn")), second=("initial-loss", "saturated-units"))
def standard_normal_weights(s: Setup, rng: Rng) -> str:
    """randn without a factor."""
    std = rng.uniform(0.7, 2)
    start_with(s, Normal(std))
    return f"std {std:.1f}"


@fault("huge-init", slower, replace(PLAIN, nets=("mlp", "mlp", "cnn")), second=("initial-loss", "saturated-units"))
def many_times_too_wide(s: Setup, rng: Rng) -> str:
    """All weights by a factor."""
    factor = rng.uniform(6, 30)
    s.at_start.append(scaled(factor, lambda names: names))
    return f"x {factor:.0f}"


@fault("symmetric-init", worse, PLAIN, second=("plateau", "underfitting"))
def one_constant(s: Setup, rng: Rng) -> str:
    """Every weight begins as the same number."""
    value = float(rng.choice((0.01, 0.02, 0.05, 0.1)))
    start_with(s, Constant(value))
    return f"{value}"


@fault("symmetric-init", worse, replace(PLAIN, nets=("mlp", "cnn")), second=("plateau", "underfitting"))
def units_alike(s: Setup, rng: Rng) -> None:
    """One row was drawn for a layer and repeated; the next layer weighs all units alike."""

    def change(net: Network) -> None:
        for name in weights(net):
            w = net.parameters.views[name]
            w[...] = np.abs(w[:1]) if name == weights(net)[-1] else w[:1]
            if name != weights(net)[0]:
                w[...] = w.mean(1, keepdims=True)

    s.at_start.append(change)


@fault("dead-relu", worse, replace(PLAIN, activations=RECTIFIED, nets=("mlp", "mlp", "cnn")), second=("plateau",))
def biases_far_below_zero(s: Setup, rng: Rng) -> str:
    """A hidden layer, or all of them, begin with biases that nothing reaches."""
    size, first = rng.uniform(4, 30), rng.random() < 0.5

    def change(net: Network) -> None:
        for name in hidden_biases(net)[: 1 if first else None]:
            net.parameters.views[name][...] = -size

    s.at_start.append(change)
    return f"-{size:.0f}" + (", first layer" if first else "")


@fault("dead-relu", worse, replace(PLAIN, activations=RECTIFIED, nets=("mlp", "mlp", "cnn")), second=("plateau",))
def most_units_dead(s: Setup, rng: Rng) -> str:
    """Some units are left."""
    share, key = rng.uniform(0.85, 0.98), int(rng.integers(1 << 30))

    def change(net: Network) -> None:
        for name in hidden_biases(net):
            b = net.parameters.views[name]
            b[np.random.default_rng(key).random(b.shape) < share] = -50

    s.at_start.append(change)
    return f"{share:.0%}"


@fault("saturated-units", slower, SQUASHED, second=("plateau", "vanishing-gradients"))
def biases_far_from_zero(s: Setup, rng: Rng) -> str:
    """Sigmoid or tanh units begin far out on their flat ends."""
    size, key = rng.uniform(8, 30), int(rng.integers(1 << 30))

    def change(net: Network) -> None:
        for name in hidden_biases(net):
            b = net.parameters.views[name]
            b[...] = size * np.random.default_rng(key).choice((-1, 1), b.shape)

    s.at_start.append(change)
    return f"{size:.0f}"


@fault("exploding-gradients", slower, Wants(nets=("mlp",), norms=("",), dropouts=(0.0,), widths=(32, 48, 64)),
       second=("initial-loss", "huge-init", "lr-too-high"))  # fmt: skip
def a_tower_of_residuals(s: Setup, rng: Rng) -> str:
    """Many residual blocks without any normalisation: each adds as much as it passes on."""
    n, width = int(rng.integers(12, 25)), int(rng.choice((32, 48, 64)))
    act = ACTIVATIONS[s.activation]
    block = Residual(Sequential(Dense(width), act(), Dense(width, init=HeNormal(gain=float(rng.uniform(1.0, 1.6))))))
    flat: list[Layer] = s.layers[:1] if s.task.pictures else []
    s.layers = [*flat, Dense(width), act(), *[block] * n, Dense(s.task.classes)]
    return f"{n} blocks"


@fault("exploding-gradients", slower, Wants(nets=("deep",), norms=("",), activations=("ReLU", "LeakyReLU")),
       second=("initial-loss", "huge-init", "lr-too-high"))  # fmt: skip
def a_gain_at_every_layer(s: Setup, rng: Rng) -> str:
    """A deep plain network whose every layer makes signals and gradients a little larger."""
    depth, gain, width = int(rng.integers(8, 16)), rng.uniform(1.4, 2.0), int(rng.choice((32, 48, 64)))
    deepen(s, depth, width, HeNormal(gain=math.sqrt(2) * gain))
    return f"{depth} layers, gain {gain:.1f}"


@fault("vanishing-gradients", worse, Wants(nets=("deep",), norms=("",), activations=("Sigmoid",), tasks=(*PICTURES, "blobs")),
       second=("plateau", "lr-too-low"))  # fmt: skip
def deep_sigmoids(s: Setup, rng: Rng) -> str:
    """Each sigmoid passes on a quarter at most."""
    depth = int(rng.integers(6, 11))
    s.activation = "Sigmoid"
    deepen(s, depth, int(rng.choice((32, 48, 64))), GlorotUniform())
    return f"{depth} layers"


@fault("vanishing-gradients", worse, Wants(nets=("deep",), norms=("",), activations=("ReLU", "Tanh", "LeakyReLU")),
       second=("plateau", "lr-too-low"))  # fmt: skip
def a_loss_at_every_layer(s: Setup, rng: Rng) -> str:
    """A deep plain network whose every layer makes signals and gradients smaller."""
    depth, gain = int(rng.integers(8, 16)), rng.uniform(0.25, 0.5)
    right = HeNormal(gain=gain * (1.0 if s.activation == "Tanh" else math.sqrt(2)))
    deepen(s, depth, int(rng.choice((32, 48, 64))), right)
    return f"{depth} layers, gain {gain:.2f}"


def deepen(s: Setup, depth: int, width: int, init: Any) -> None:
    """A plain network of so many hidden layers."""
    flat: list[Layer] = s.layers[:1] if s.task.pictures else []
    hidden = [layer for _ in range(depth) for layer in (Dense(width, init=init), ACTIVATIONS[s.activation]())]
    s.layers = [*flat, *hidden, s.layers[-1]]


@fault("missing-nonlinearity", worse, Wants(tasks=BENT, nets=("mlp", "deep"), norms=("", "", "batch")), second=("underfitting",))
def activations_left_out(s: Setup, rng: Rng) -> None:
    """Dense upon dense: one straight line after all."""
    s.layers = map_layers(s.layers, lambda x: None if type(x) in ACTIVATIONS.values() else x)
