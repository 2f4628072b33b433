"""A recipe: all that a run is made of, so that it can be made again, or with one thing changed.

layers = Flatten(), Dense(128), ReLU(), Dense(10)
recipe = Recipe(layers=layers, train=split, optimizer=SGD(0.01), epochs=5, scale=1.0)
history = recipe.run()
cured = replace(recipe, scale=1 / 255).run()     # dataclasses.replace
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from scratchnet.core.errors import ScratchnetError
from scratchnet.core.layer import Layer
from scratchnet.core.loss import Loss
from scratchnet.core.network import Network
from scratchnet.data import Batches, Split
from scratchnet.losses import SoftmaxCrossEntropy
from scratchnet.optim import Optimizer, Schedule

from .fit import fit
from .history import History
from .shown.console import Report
from .watch.monitor import Monitor
from .watch.recorder import Sink

PerChannel = float | tuple[float, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Recipe:
    """What `Network`, `Batches`, `Monitor` and `fit` are given; the names mean there what they mean here.

    Attributes:
        layers: a tuple of layers.
        train, val, test: the splits. val and test are taken in their own order, `evaluated` samples at a time.
        evaluation: settings of Batches in which val and test differ from training: {"scale": 1.0}.
        frozen: parameters, or prefixes of their names, that are not trained.
        every: steps between two looks.
    """

    layers: tuple[Layer, ...]
    train: Split
    val: Split | None = None
    test: Split | None = None
    optimizer: Optimizer
    loss: Loss = field(default_factory=SoftmaxCrossEntropy)
    batch_size: int = 128
    epochs: int = 1
    scale: PerChannel = 1 / 255
    shift: PerChannel = 0.0
    flatten: bool = False
    shuffle: bool = True
    drop_last: bool = False
    seed: int = 0
    schedule: Schedule | None = None
    ties: Mapping[str, str] = field(default_factory=dict)
    frozen: tuple[str, ...] = ()
    dtype: str = "float32"
    backend: str = "cpu"
    fuse: bool = True
    evaluated: int = 1000
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    every: int = 200

    def network(self) -> Network:
        """A fresh network."""
        shape = self.train.sample_shape
        net = Network(
            self.layers,
            (math.prod(shape),) if self.flatten else shape,
            seed=self.seed,
            backend=self.backend,
            dtype=self.dtype,
            ties=self.ties,
            fuse=self.fuse,
        )
        for prefix in self.frozen:
            net.parameters.freeze(prefix)
        return net

    def batches(self, split: Split) -> Batches:
        """The batches of a split: shuffled if it is the training split."""
        own: dict[str, Any] = {"scale": self.scale, "shift": self.shift, "flatten": self.flatten, "dtype": self.dtype}
        own |= {"backend": self.backend, "seed": self.seed}
        if split is self.train:
            return Batches(split, self.batch_size, shuffle=self.shuffle, drop_last=self.drop_last, **own)
        return Batches(split, self.evaluated, shuffle=False, **(own | dict(self.evaluation)))

    def run(
        self, *, epochs: int | None = None, sinks: Sink | tuple[Sink, ...] = (), report: Report | None = None
    ) -> History:
        """Train a fresh network and return the history of it. `epochs`, if not the recipe's own.

        A run that a ScratchnetError ends (a label out of range, say) has a history too, and `history.end` tells.
        Raises what Network and Batches raise, for settings that make none.
        """
        net = self.network()
        monitor = Monitor(
            net, self.loss, self.optimizer, every=self.every, run=sinks, settings=self.settings(), report=report
        )
        train, epochs = self.batches(self.train), self.epochs if epochs is None else epochs
        val, test = (None if split is None else self.batches(split) for split in (self.val, self.test))
        given: dict[str, Any] = {"val": val, "test": test, "schedule": self.schedule}
        with suppress(ScratchnetError):
            fit(net, self.loss, self.optimizer, train, epochs=epochs, monitor=monitor, report=report, **given)
        return monitor.history

    def settings(self) -> dict[str, Any]:
        """The settings that a network does not tell, as plain values, for the run's configuration."""
        names = "batch_size", "epochs", "scale", "shift", "flatten", "shuffle", "drop_last", "frozen"
        schedule = None if self.schedule is None else repr(self.schedule)
        return {name: getattr(self, name) for name in names} | {"schedule": schedule}
