"""Faults of the initial weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from _doctor_base import Wants
from _doctor_data import PICTURES, Rng
from _doctor_rules import fault, slower, starts_far, worse
from _doctor_setup import Setup, map_layers, weights

from scratchnet import Network
from scratchnet.core import Constant, HeNormal, Normal, Zeros
from scratchnet.layers import Conv2d, Dense

PLAIN = Wants(norms=("",), nets=("mlp", "mlp", "cnn", "deep"))


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


@fault(
    "zero-init", worse, replace(PLAIN, nets=("mlp", "cnn", "deep", "residual")), second=("frozen-parameters", "plateau")
)
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
