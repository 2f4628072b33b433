"""Small training runs that keep checkpoints, and can be broken off after any step."""

import numpy as np

from scratchnet import (
    SGD,
    Adam,
    BatchNorm2d,
    Conv2d,
    Dense,
    Dropout,
    Flatten,
    MaxPool2d,
    Network,
    ReLU,
    RMSprop,
    SoftmaxCrossEntropy,
)
from scratchnet.checkpoint import Checkpointer
from scratchnet.data import Batches, Split, drawn
from scratchnet.optim import Cosine, ReduceOnPlateau
from scratchnet.train import Counts

MODELS = {
    "mlp": lambda: [Flatten(), Dense(12), ReLU(), Dropout(0.3), Dense(10)],
    "cnn": lambda: [
        *(Conv2d(3, 3, padding="same"), ReLU(), MaxPool2d(4), BatchNorm2d(), Dropout(0.2)),
        *(Flatten(), Dense(10)),
    ],
}
OPTIMIZERS = {
    "sgd": lambda: SGD(0.1),
    "momentum": lambda: SGD(0.05, momentum=0.9, nesterov=True),
    "adam": lambda: Adam(0.01),
    "rmsprop": lambda: RMSprop(0.003),
}
EPOCHS = 3


class BrokenOffError(Exception):
    """Somebody pulled the plug."""


def data_of(samples=90):
    x, y = drawn(samples, seed=0)
    return Split("train", x, y)


class Run:
    """A loop as one writes it by hand; what it draws from `rng` and what the plateau says enter the weights too."""

    def __init__(self, model="mlp", optimizer="adam", backend="reference", compiled=False, dtype="float32", batch=16):
        self.split = data_of()
        self.net = Network(MODELS[model](), self.split.sample_shape, seed=1, backend=backend, dtype=dtype)
        self.loss, self.optimizer = SoftmaxCrossEntropy(), OPTIMIZERS[optimizer]()
        self.batches = Batches(self.split, batch, seed=2, backend=backend, dtype=dtype)
        self.schedule = Cosine(self.optimizer.lr, steps=EPOCHS * len(self.batches))
        self.plateau = ReduceOnPlateau(self.optimizer.lr, patience=0, threshold=0.5)
        self.rng = np.random.default_rng(3)
        self.counts = Counts(10)
        self.compiled = self.net.compile(self.loss, self.optimizer, batch_size=batch) if compiled else None
        self.settings = {"model": model, "optimizer": repr(self.optimizer)}

    def saver(self, folder, **more):
        return Checkpointer(folder, **{"keep": 3, "every_steps": 2, "best": {"accuracy": "max", "loss": "min"}, **more})

    @property
    def kept(self):
        return {"plateau": self.plateau, "rng": self.rng, "counts": self.counts}

    def go(self, saver, *, resume=False, stop=None):
        """Train to the end, or raise BrokenOffError after `stop` steps of this process. Returns the position."""
        at = (saver.resume if resume else saver.begin)(self.net, settings=self.settings, **self.kept)
        done = 0
        for epoch in range(at.epoch, EPOCHS + 1):
            if not at.batch:
                self.counts = Counts(10)
            for x, y in self.batches.epoch(epoch, at.batch):
                lr = self.schedule(at.step) * self.plateau.scale * self.rng.uniform(0.5, 1.0)
                self.step(x, y, lr, epoch, at.batch)
                at = at.next_batch()
                saver.step(at, **self.kept)
                done += 1
                if done == stop:
                    raise BrokenOffError
            self.plateau.observe(self.counts.loss)
            at = at.next_epoch()
            metrics = {"accuracy": self.counts.accuracy, "loss": self.counts.loss}
            saver.epoch(at, metrics, {"data": "drawn", "optimizer": repr(self.optimizer)}, **self.kept)
        return at

    def step(self, x, y, lr, epoch, batch):
        if self.compiled is not None:
            images, targets, scale, shift = self.batches.whole()
            order = self.batches.order(epoch)[batch * len(x) if len(x) == self.batches.batch_size else -len(x) :]
            trained = self.compiled.run(images, targets, order[: len(x)], scale=scale, shift=shift, lr=lr)
            self.counts.add(np.eye(10, dtype=x.dtype)[y], y, float(trained.losses[0]))
            return
        logits, tape = self.net.forward(x, training=True)
        value, dlogits = self.loss(logits, y, tape)
        self.counts.add(logits, y, float(value))
        self.net.zero_grad()
        self.net.backward(dlogits, tape)
        self.optimizer.step(self.net, lr=lr)


def everything(run):
    """All that a run has, as bytes and numbers."""
    net = run.net
    arrays = {name: view.tobytes() for name, view in net.views.items()}
    for name, state in net.optimizer_states.items():
        arrays |= {f"{name}.{slot}": store.flat.tobytes() for slot, store in state.stores.items()}
        arrays[name] = (state.steps, state.hyper.tobytes())
    counts = {**vars(run.counts), "matrix": run.counts.matrix.tolist()}
    return arrays, int(net.count[0]), run.plateau.state_dict(), run.rng.bit_generator.state, counts
