"""One thing changed: what would cure a run if a cause is the true one. One small function a cause.

@cures("momentum-diverges")
def without_momentum(recipe: Recipe) -> Iterator[Change]: ...

A function yields nothing where the recipe has nothing to change: no momentum, weights that begin as they should.
Causes without one cannot be taken away by changing a setting: labels that are wrong, a loop that forgets to zero its
gradients; or they are a consequence in most runs (dead ReLUs), and what cures those is tried under their causes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scratchnet.core.initializers import HeNormal
from scratchnet.core.layer import Layer
from scratchnet.layers import Dropout, ReLU, Sigmoid, Softmax, Tanh
from scratchnet.optim import SGD, Schedule
from scratchnet.train.recipe import Recipe

from .rewriting import LINEAR, activated, rewritten


@dataclass(frozen=True)
class Change:
    """A recipe in which one thing differs, and which: "LR / 10", "inputs / 255 at the same LR"."""

    text: str
    recipe: Recipe


Intervention = Callable[[Recipe], Iterator[Change]]
INTERVENTIONS: dict[str, list[Intervention]] = {}
"""The functions by the id of the cause that they would cure."""

GUESSES = {"inputs-unscaled": ("lr-too-high",)}
"""What is guessed in place of a cause: tried beside its cure, so that the two can be compared."""


def changes(cause: str, recipe: Recipe) -> list[Change]:
    """What would cure this run if this were its cause."""
    return [change for function in INTERVENTIONS.get(cause, ()) for change in function(recipe)]


def cures(*causes: str) -> Callable[[Intervention], Intervention]:
    """Decorator: this function makes the changes that would cure these causes."""

    def enter(function: Intervention) -> Intervention:
        for cause in causes:
            INTERVENTIONS.setdefault(cause, []).append(function)
        return function

    return enter


@cures("inputs-unscaled")
def scaled_inputs(recipe: Recipe) -> Iterator[Change]:
    """Values that are never negative, such as pixels, to [0, 1]; others to mean 0 and standard deviation 1."""
    x = recipe.train.x
    if x.dtype == np.uint8:
        text, scale, shift = "inputs / 255 at the same LR", 1 / 255, 0.0
    elif float(x.min()) >= 0:
        text, scale, shift = "inputs scaled to [0, 1] at the same LR", 1 / (float(x.max()) or 1.0), 0.0
    else:
        spread = float(x.std(dtype=np.float64)) or 1.0
        text, scale, shift = "inputs standardised at the same LR", 1 / spread, -float(x.mean(dtype=np.float64)) / spread
    if (recipe.scale, recipe.shift) != (scale, shift):
        evaluation = {name: value for name, value in recipe.evaluation.items() if name not in ("scale", "shift")}
        yield Change(text, replace(recipe, scale=scale, shift=shift, evaluation=evaluation))


@cures("lr-too-high")
def lower_rates(recipe: Recipe) -> Iterator[Change]:
    """A tenth, a hundredth and a thousandth."""
    yield from (_at_rate(recipe, 1 / n, f"LR / {n}") for n in (10, 100, 1000))


@cures("lr-too-low")
def higher_rates(recipe: Recipe) -> Iterator[Change]:
    """Ten and a hundred times."""
    yield from (_at_rate(recipe, n, f"LR x {n}") for n in (10, 100))


@cures("zero-init", "huge-init", "wrong-fan", "symmetric-init", "initial-loss", "exploding-gradients")
def he_normal(recipe: Recipe) -> Iterator[Change]:
    """Weights that begin as N(0, 2/fan_in)."""

    def begun(layer: Layer) -> Layer:
        known: Any = layer
        return replace(known, init=HeNormal()) if type(layer).__name__ in LINEAR else layer

    yield from _with_layers(recipe, "weights drawn by He's rule", (rewritten(layer, begun) for layer in recipe.layers))


@cures("frozen-parameters")
def thawed(recipe: Recipe) -> Iterator[Change]:
    """Nothing frozen."""
    if recipe.frozen:
        yield Change("nothing frozen", replace(recipe, frozen=()))


@cures("double-softmax")
def without_softmax(recipe: Recipe) -> Iterator[Change]:
    """No softmax in front of a loss that has one."""
    if recipe.layers and isinstance(recipe.layers[-1], Softmax):
        yield Change("without the Softmax layer", replace(recipe, layers=recipe.layers[:-1]))


@cures("missing-nonlinearity")
def with_relu(recipe: Recipe) -> Iterator[Change]:
    """A ReLU behind every layer with weights but the last, where there is nothing that bends."""
    yield from _with_layers(recipe, "a ReLU between the linear layers", activated(recipe.layers))


@cures("saturated-units", "vanishing-gradients")
def relu_for_sigmoid(recipe: Recipe) -> Iterator[Change]:
    """ReLU, which does not saturate, in the place of sigmoid and tanh."""

    def bent(layer: Layer) -> Layer:
        return ReLU() if isinstance(layer, Sigmoid | Tanh) else layer

    yield from _with_layers(recipe, "ReLU for sigmoid and tanh", (rewritten(layer, bent) for layer in recipe.layers))


@cures("regularisation-too-strong")
def without_decay(recipe: Recipe) -> Iterator[Change]:
    """No weight decay."""
    known: Any = recipe.optimizer
    if getattr(known, "weight_decay", 0.0):
        yield Change("without weight decay", replace(recipe, optimizer=replace(known, weight_decay=0.0)))


@cures("regularisation-too-strong")
def without_dropout(recipe: Recipe) -> Iterator[Change]:
    """No dropout."""

    def kept(layer: Layer) -> Layer:
        return Dropout(0.0) if isinstance(layer, Dropout) else layer

    yield from _with_layers(recipe, "without dropout", (rewritten(layer, kept) for layer in recipe.layers))


@cures("momentum-diverges")
def without_momentum(recipe: Recipe) -> Iterator[Change]:
    """Plain SGD; or the usual settings, for an optimizer that is nothing without its running means."""
    known: Any = recipe.optimizer
    if isinstance(known, SGD) and known.momentum:
        yield Change("without momentum", replace(recipe, optimizer=replace(known, momentum=0.0, nesterov=False)))
    usual = {name: value for name, value in (("beta1", 0.9), ("beta2", 0.999)) if getattr(known, name, value) != value}
    if usual:
        text = ", ".join(f"{name} {value}" for name, value in usual.items())
        yield Change(text, replace(recipe, optimizer=replace(known, **usual)))


@cures("data-order")
def shuffled(recipe: Recipe) -> Iterator[Change]:
    """A new order in every epoch."""
    if not recipe.shuffle:
        yield Change("shuffled anew each epoch", replace(recipe, shuffle=True))


@cures("zero-batches")
def with_the_last_batch(recipe: Recipe) -> Iterator[Change]:
    """The batch that is not full is kept."""
    if recipe.drop_last:
        yield Change("the last batch kept", replace(recipe, drop_last=False))


@dataclass(frozen=True)
class Scaled:
    """factor · schedule(step)."""

    schedule: Schedule
    factor: float

    def __call__(self, step: int) -> float:
        """The learning rate of a step."""
        return self.factor * self.schedule(step)


def _at_rate(recipe: Recipe, factor: float, text: str) -> Change:
    known: Any = recipe.optimizer
    schedule = None if recipe.schedule is None else Scaled(recipe.schedule, factor)
    return Change(text, replace(recipe, optimizer=replace(known, lr=known.lr * factor), schedule=schedule))


def _with_layers(recipe: Recipe, text: str, layers: Iterable[Layer]) -> Iterator[Change]:
    """The recipe with these layers, if they are others."""
    new = tuple(layers)
    if new != recipe.layers:
        yield Change(text, replace(recipe, layers=new))
