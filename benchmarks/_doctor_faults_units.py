"""Faults of activations and depth: dead and saturated units, gradients that explode or vanish, no nonlinearity."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from _doctor_base import ACTIVATIONS, Wants
from _doctor_data import BENT, PICTURES, Rng
from _doctor_rules import fault, slower, worse
from _doctor_setup import Setup, hidden_biases, map_layers

from scratchnet import Network
from scratchnet.core import GlorotUniform, HeNormal, Layer
from scratchnet.layers import Dense, Residual, Sequential

RECTIFIED = Wants(norms=("",), nets=("mlp", "mlp", "cnn"), activations=("ReLU",))
SQUASHED = Wants(norms=("",), nets=("mlp",), activations=("Tanh", "Sigmoid"))
DEEP = Wants(norms=("",), nets=("deep",), activations=("ReLU", "LeakyReLU"))


@fault("dead-relu", worse, RECTIFIED, second=("plateau",))
def biases_far_below_zero(s: Setup, rng: Rng) -> str:
    """A hidden layer, or all of them, begin with biases that nothing reaches."""
    size, first = rng.uniform(4, 30), rng.random() < 0.5

    def change(net: Network) -> None:
        for name in hidden_biases(net)[: 1 if first else None]:
            net.parameters.views[name][...] = -size

    s.at_start.append(change)
    return f"-{size:.0f}" + (", first layer" if first else "")


@fault("dead-relu", worse, RECTIFIED, second=("plateau",))
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


@fault("exploding-gradients", slower, DEEP,
       second=("initial-loss", "huge-init", "lr-too-high"))  # fmt: skip
def a_gain_at_every_layer(s: Setup, rng: Rng) -> str:
    """A deep plain network whose every layer makes signals and gradients a little larger."""
    depth, gain, width = int(rng.integers(8, 16)), rng.uniform(1.4, 2.0), int(rng.choice((32, 48, 64)))
    deepen(s, depth, width, HeNormal(gain=math.sqrt(2) * gain))
    return f"{depth} layers, gain {gain:.1f}"


@fault("vanishing-gradients", worse, replace(DEEP, activations=("Sigmoid",), tasks=(*PICTURES, "blobs")),
       second=("plateau", "lr-too-low"))  # fmt: skip
def deep_sigmoids(s: Setup, rng: Rng) -> str:
    """Each sigmoid passes on a quarter at most."""
    depth = int(rng.integers(6, 11))
    s.activation = "Sigmoid"
    deepen(s, depth, int(rng.choice((32, 48, 64))), GlorotUniform())
    return f"{depth} layers"


@fault("vanishing-gradients", worse, replace(DEEP, activations=("ReLU", "Tanh", "LeakyReLU")),
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


@fault(
    "missing-nonlinearity",
    worse,
    Wants(tasks=BENT, nets=("mlp", "deep"), norms=("", "", "batch")),
    second=("underfitting",),
)
def activations_left_out(s: Setup, rng: Rng) -> None:
    """Dense upon dense: one straight line after all."""
    s.layers = map_layers(s.layers, lambda x: None if type(x) in ACTIVATIONS.values() else x)
