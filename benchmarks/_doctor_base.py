"""Healthy recipes, drawn: task, network, optimizer and their settings. Faults start from one of these."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from _doctor_data import BENT, FLAT, PICTURES, Rng, Task, draw_task
from _doctor_setup import Layers, Setup, log_uniform

from scratchnet import SGD, Adam, AdamW, RMSprop
from scratchnet.core import GlorotUniform, HeNormal, HeUniform, Layer, Normal
from scratchnet.layers import (
    ELU,
    GELU,
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    Dense,
    Dropout,
    Flatten,
    GroupNorm,
    LayerNorm,
    LeakyReLU,
    MaxPool2d,
    ReLU,
    Residual,
    Sequential,
    Sigmoid,
    SiLU,
    Tanh,
)

ACTIVATIONS: dict[str, type[Layer]] = {a.__name__: a for a in (ReLU, LeakyReLU, Tanh, Sigmoid, GELU, ELU, SiLU)}
LEARNING_RATES = {  # of a plain MLP on scaled inputs, by experience; narrower nets and depth divide them
    "sgd": (0.05, 0.25),
    "momentum": (0.008, 0.04),
    "adam": (1e-3, 5e-3),
    "adamw": (1e-3, 5e-3),
    "rmsprop": (5e-4, 2e-3),
}


@dataclass(frozen=True)
class Wants:
    """What a base must be like for a fault to have a place in it. Empty: anything."""

    tasks: tuple[str, ...] = (*PICTURES, *PICTURES, *FLAT)
    nets: tuple[str, ...] = ("mlp", "mlp", "mlp", "cnn", "cnn", "deep", "residual")
    activations: tuple[str, ...] = ("ReLU", "ReLU", "ReLU", "ReLU", *ACTIVATIONS)
    norms: tuple[str, ...] = ("", "", "", "batch", "other")
    dropouts: tuple[float, ...] = (0.0, 0.0, 0.0, 0.1, 0.25, 0.4)
    optimizers: tuple[str, ...] = tuple(LEARNING_RATES)
    samples: tuple[int, int] = (800, 2500)
    steps: tuple[int, int] = (350, 800)
    batches: tuple[int, ...] = (16, 32, 32, 64, 100)
    widths: tuple[int, ...] = (24, 32, 48, 64, 100, 128)
    min_classes: int = 2


ANYTHING = Wants()


def draw_base(rng: Rng, wants: Wants = ANYTHING) -> Setup:
    """A recipe that ought to train well; whether it does is measured."""
    kind = str(rng.choice(wants.nets))
    tasks = [t for t in wants.tasks if kind != "cnn" or t in PICTURES] or list(PICTURES)
    n = int(log_uniform(rng, *wants.samples))
    for _ in range(50):
        task = draw_task(rng, tuple(tasks), n, max(150, n // 3), 14 if kind == "cnn" else int(rng.choice((14, 28))))
        if task.classes >= wants.min_classes:
            break
    activation, norm, dropout = (str(rng.choice(wants.activations)), str(rng.choice(wants.norms)),
                                 float(rng.choice(wants.dropouts)))  # fmt: skip
    if kind == "deep" and activation == "Sigmoid" and not norm:
        activation = "ReLU"  # deep plain sigmoids do not train: that is a fault of its own
    layers = network(rng, kind, task, activation, norm, dropout, wants.widths)
    name = str(rng.choice(wants.optimizers))
    optimizer = draw_optimizer(rng, name, kind, task, activation, norm)
    batch = int(rng.choice(wants.batches))
    longer = 2.5 if task.name in BENT else 1.0
    steps = longer * rng.uniform(*wants.steps)
    epochs = max(3, round(steps / math.ceil(n / batch)))
    setup = Setup(f"{task.name}, {kind}, {activation}, {norm or 'plain'}, {name}", task, layers, optimizer, epochs,
                  batch, seed=int(rng.integers(1 << 20)), activation=activation)  # fmt: skip
    setup.every = int(rng.choice((20, 50, 100)))
    setup.measures = {"val": "val", "test": "test"} if rng.random() < 0.3 else {"val": "val"}
    return setup


def draw_optimizer(rng: Rng, name: str, kind: str, task: Task, activation: str, norm: str) -> Any:
    """An optimizer with a learning rate that suits the network."""
    lr = log_uniform(rng, *LEARNING_RATES[name])
    if kind == "deep" and not norm:
        lr /= 2
    if kind == "cnn" and name in ("sgd", "momentum"):
        lr /= 2
    if activation in ("Sigmoid", "GELU", "SiLU") and not norm and name in ("sgd", "momentum"):
        lr *= 4 if activation == "Sigmoid" else 2
    if task.name in BENT:
        lr *= 2
    elif task.shift == 0 and task.pictures and name in ("sgd", "momentum"):
        lr *= 2  # pixels in [0, 1] are small
    decay = log_uniform(rng, 1e-5, 5e-4) if rng.random() < 0.3 else 0.0
    if name == "sgd":
        return SGD(lr, weight_decay=decay)
    if name == "momentum":
        return SGD(lr, momentum=0.9, nesterov=bool(rng.random() < 0.3), weight_decay=decay)
    if name == "adam":
        return Adam(lr)
    return AdamW(lr, weight_decay=log_uniform(rng, 1e-3, 0.1)) if name == "adamw" else RMSprop(lr)


def network(
    rng: Rng, kind: str, task: Task, activation: str, norm: str, dropout: float, widths: tuple[int, ...]
) -> Layers:
    """The layers; the last is Dense(classes)."""
    act = ACTIVATIONS[activation]
    init: Any = GlorotUniform() if activation in ("Tanh", "Sigmoid") else (HeNormal(), HeUniform())[rng.integers(2)]
    width, layers = int(rng.choice(widths)), list[Layer]()

    def dense(units: int) -> None:
        layers.append(Dense(units, init=init))
        if norm:
            layers.append(BatchNorm1d() if norm == "batch" else LayerNorm())
        layers.append(act())
        if dropout:
            layers.append(Dropout(dropout))

    if kind == "cnn":
        channels = int(rng.choice((4, 8, 12)))
        for c in (channels, 2 * channels)[: int(rng.integers(1, 3))]:
            layers.append(Conv2d(c, 3, padding=1, init=init))
            if norm:
                layers.append(BatchNorm2d() if norm == "batch" else GroupNorm(2))
            layers += [act(), MaxPool2d(2)]
        layers.append(Flatten())
        if rng.random() < 0.5:
            dense(width)
    else:
        layers += [Flatten()] if task.pictures else []
        if kind == "residual":
            layers += [Dense(width, init=init), act()]
            for _ in range(int(rng.integers(2, 5))):
                inner = (LayerNorm(), Dense(width, init=init), act(), Dense(width, init=Normal(0.5 / math.sqrt(width))))
                layers.append(Residual(Sequential(*inner)))
        depth = {"mlp": int(rng.integers(1, 4)), "deep": int(rng.integers(5, 9)), "residual": 0, "linear": 0}[kind]
        for _ in range(depth):
            dense(width)
    head: Any = GlorotUniform() if rng.random() < 0.5 else HeNormal()
    return [*layers, Dense(task.classes, init=head)]


def recipe_rng(*key: int | str) -> Rng:
    """A generator of its own for each key."""
    words = [k if isinstance(k, int) else int.from_bytes(k.encode(), "little") for k in key]
    return np.random.Generator(np.random.PCG64(words))
