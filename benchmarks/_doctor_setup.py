"""A training run of the doctor's benchmark as one changeable description: what faults take hold of.

Everything that a loop of one's own can get wrong has its place here, and begins right.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from _doctor_data import Array, Rng, Task, copied

from scratchnet import Network, SoftmaxCrossEntropy
from scratchnet.core import Layer
from scratchnet.layers import Sequential
from scratchnet.optim import Optimizer
from scratchnet.train.history.history import History

Layers = list[Layer]


@dataclass
class Setup:
    """Data, network, loss, optimizer, loop and what is written down.

    Attributes:
        name: of the recipe, for people.
        activation: the class of the hidden activation.
        schedule: learning rate by step, counted from 0; None for the optimizer's.
        at_start: change the network's parameters before the first step.
        on_batch: (step, x, y) -> (x, y), after the loader.
        targets: what the loss is given for labels.
        on_loss: (step, logits, y, value, dlogits) -> (value, dlogits).
        on_gradient: change gradients, return what is added to the loss.
        lr_factor: (step, losses so far) -> factor on the learning rate.
        before_step, after_step: around the optimizer's step; the first may return a state for the second.
        zeroes: whether gradients are zeroed at a step.
        clip: longest global norm of the gradient, or None.
        loops: whether an epoch's loop over batches sees any.
        train_mode, eval_mode: `training` of the forwards in training and in evaluation.
        measures: recorded name -> split that is measured under it.
        stale: evaluation looks at the network as it was at the start.
        on_record: change what was recorded.
        log_only: of the record, epochs with losses and accuracies alone remain, as in a log.
        stops: the loop ends at a loss that is not finite.
    """

    name: str
    task: Task
    layers: Layers
    optimizer: Optimizer
    epochs: int
    batch_size: int
    seed: int
    activation: str = "ReLU"
    loss: Any = field(default_factory=SoftmaxCrossEntropy)
    schedule: Callable[[int], float] | None = None
    shuffle: bool = True
    drop_last: bool = False
    dtype: str = "float32"
    clip: float | None = None
    every: int = 50
    at_start: list[Callable[[Network], None]] = field(default_factory=list)
    on_batch: list[Callable[[int, Array, Array], tuple[Array, Array]]] = field(default_factory=list)
    targets: Callable[[Array], Array] | None = None
    on_loss: list[Callable[[int, Array, Array, float, Array], tuple[float, Array]]] = field(default_factory=list)
    on_gradient: list[Callable[[int, Network], float]] = field(default_factory=list)
    lr_factor: Callable[[int, list[float]], float] | None = None
    before_step: Callable[[Network], Any] | None = None
    after_step: Callable[[Network, Any], None] | None = None
    zeroes: Callable[[int], bool] | None = None
    loops: Callable[[int], bool] | None = None
    train_mode: bool = True
    eval_mode: bool = False
    measures: dict[str, str] = field(default_factory=lambda: {"val": "val"})
    stale: bool = False
    on_record: list[Callable[[History, Setup], History]] = field(default_factory=list)
    log_only: bool = False
    stops: bool = True
    what: list[str] = field(default_factory=list)  # what was done, in words

    @property
    def per_epoch(self) -> int:
        """Batches of an epoch."""
        return math.ceil(len(self.task.train) / min(self.batch_size, len(self.task.train)))

    @property
    def steps(self) -> int:
        """Training steps of the whole run."""
        return self.epochs * self.per_epoch

    def copy(self) -> Setup:
        """A copy that can be changed without the original."""
        lists = {f.name: list(v) for f in dataclasses.fields(self) if isinstance(v := getattr(self, f.name), list)}
        return replace(self, task=copied(self.task), measures=dict(self.measures), **lists)

    def network(self) -> Network:
        """The network at its start."""
        net = Network(self.layers, self.task.train.sample_shape, seed=self.seed, dtype=self.dtype)
        for change in self.at_start:
            change(net)
            net.parameters.version += 1
        return net

    def with_lr(self, factor: float) -> None:
        """Another learning rate, by a factor."""
        self.optimizer = replace(self.optimizer, lr=self.optimizer.lr * factor)  # type: ignore[type-var]
        if (schedule := self.schedule) is not None:
            self.schedule = lambda step: schedule(step) * factor


def map_layers(layers: Layers, change: Callable[[Layer], Layer | None]) -> Layers:
    """Every layer through `change`, those in composites too; None leaves one out."""
    made = []
    for layer in layers:
        if isinstance(layer, Sequential):
            new: Layer | None = Sequential(*map_layers(list(layer.layers), change))
        elif hasattr(layer, "body"):
            new = replace(layer, body=map_layers([layer.body], change)[0])  # type: ignore[type-var]
        else:
            new = change(layer)
        if new is not None:
            made.append(new)
    return made


def weights(net: Network) -> list[str]:
    """Names of the weights of linear layers, from the first to the last."""
    return [name for name, view in net.parameters.views.items() if name.endswith("W") and view.ndim > 1]


def hidden_biases(net: Network) -> list[str]:
    """Names of the biases of all linear layers but the last."""
    found = [name[:-1] + "b" for name in weights(net)[:-1]]
    return [name for name in found if name in net.parameters.views]


def log_uniform(rng: Rng, low: float, high: float) -> float:
    """Any order of magnitude between the two is as likely as another."""
    return float(np.exp(rng.uniform(math.log(low), math.log(high))))
