"""What `scratchnet warmup` runs so that it is compiled: training steps, through Network, of nets and of every layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial

import numpy as np

import scratchnet.layers
import scratchnet.losses  # noqa: F401  (both fill the registries)
from scratchnet import SGD, Adam, AdamW, Conv2d, Dense, Flatten, MaxPool2d, Network, ReLU, RMSprop, SoftmaxCrossEntropy
from scratchnet.check.subjects.layer import LayerSubject
from scratchnet.check.subjects.loss import LossSubject, draw_targets
from scratchnet.core import Layer
from scratchnet.core.case import RandomDraw
from scratchnet.core.layer import LAYERS
from scratchnet.core.loss import LOSSES, Loss
from scratchnet.data import Augment, Batches, Split
from scratchnet.optim import Optimizer, clip_factor
from scratchnet.train import gradient_norms

Job = tuple[str, Callable[[], None]]
"""What it is called, and what is to be run."""

MODELS: dict[str, Callable[[int], list[Layer]]] = {
    "mlp": lambda classes: [Flatten(), Dense(128), ReLU(), Dense(classes)],
    "cnn": lambda classes: [
        *(Conv2d(16, 3, padding="same"), ReLU(), MaxPool2d(2)),
        *(Conv2d(32, 3, padding="same"), ReLU(), MaxPool2d(2)),
        *(Flatten(), Dense(128), ReLU(), Dense(classes)),
    ],
}
"""Those of examples/mnist_manual.py, and so are the optimizers."""

OPTIMIZERS: tuple[Optimizer, ...] = (SGD(0.2, momentum=0.9, weight_decay=1e-4), SGD(0.1), Adam(0.005))
OTHERS: tuple[Optimizer, ...] = (
    SGD(0.1, momentum=0.9, nesterov=True),
    AdamW(),
    RMSprop(),
    RMSprop(momentum=0.5, centered=True),
)
AT_ONCE = 1000  # samples of one pass of an evaluation
CASES = 8  # drawn for a layer or loss


def of_model(model: str, dtype: str, batch_size: int) -> Iterator[Job]:
    """A network of that kind under each optimizer."""
    rng = np.random.default_rng(0)
    n = max(AT_ONCE, 2 * batch_size + 1)
    split = Split("train", rng.integers(0, 256, (n, 28, 28), np.uint8), rng.integers(0, 10, n))
    for optimizer in OPTIMIZERS:
        yield f"{model}, {optimizer!r}", partial(_train, model, split, optimizer, dtype, batch_size)


def _train(model: str, split: Split, optimizer: Optimizer, dtype: str, batch_size: int) -> None:
    """A whole batch, the last one and a single sample, through the layers; a step compiled whole; a prediction.

    A step compiled whole has the optimizer's settings in its text, so only the example's usual one is worth it.
    """
    net, loss = Network(MODELS[model](10), split.sample_shape, dtype=dtype), SoftmaxCrossEntropy()
    batches = Batches(split, batch_size, dtype=dtype)
    whole, rest = (next(batches.epoch(0, start)) for start in (0, len(batches) - 1))
    for x, y in (whole, rest, (rest[0][:1], rest[1][:1])):  # a single sample has kernels of its own
        logits, tape = net.forward(x, training=True)
        _, dlogits = loss(logits, y, tape)
        net.zero_grad()
        net.backward(dlogits, tape)
        gradient_norms(net)
        optimizer.step(net)
    step = net.compile(loss, optimizer, batch_size=batch_size)
    if step.compiled and optimizer is OPTIMIZERS[0]:
        images, targets, scale, shift = batches.whole()
        step.run(images, targets, np.arange(batch_size), scale=scale, shift=shift)
    for x, _ in Batches(split, AT_ONCE, shuffle=False, dtype=dtype).epoch(0):
        net.predict(x)


def of_registry(dtype: str) -> Iterator[Job]:
    """Every layer and loss under the cases that it draws of itself, every optimizer, and batches that are augmented."""
    for name, layer in sorted(LAYERS.items()):
        yield name, partial(_layer, layer, dtype)
    for name, loss in sorted(LOSSES.items()):
        yield name, partial(_loss, loss, dtype)
    yield "optimizers", partial(_optimizers, dtype)
    yield "augmented batches", partial(_augmented, dtype)


def _layer(layer: type[Layer], dtype: str) -> None:
    """Forward and backward, in training and not, with dx and without; as small as drawn, and cut as if large."""
    from scratchnet_kernels.cpu._threads import cutting_all

    for number in range(CASES):
        case = layer.cases(RandomDraw(np.random.default_rng([number, 19])))
        for cutting in (nullcontext, cutting_all):
            with cutting():
                subject = LayerSubject(case, number, backend="cpu", dtype=dtype)
                subject.training = number % 4 != 3
                subject.run()
                _, tape = subject.forward()
                subject.net.backward(subject.dy, tape)


def _loss(loss: type[Loss], dtype: str) -> None:
    for number in range(CASES):
        rng = np.random.default_rng([number, 23])
        case = loss.cases(RandomDraw(rng))
        logits = rng.normal(size=case.shape)
        targets = draw_targets(case, logits, rng)
        targets = targets.astype(dtype) if targets.dtype.kind == "f" else targets
        LossSubject(case.loss, logits.astype(dtype), targets, backend="cpu").run()


def _optimizers(dtype: str) -> None:
    from scratchnet_kernels.cpu._threads import cutting_all

    for optimizer in (*OPTIMIZERS, *OTHERS):
        for cutting in (nullcontext, cutting_all):
            with cutting():
                net = Network([Dense(3)], (40,), dtype=dtype)
                optimizer.step(net, clip=clip_factor(net, 1.0)[0])


def _augmented(dtype: str) -> None:
    from scratchnet_kernels.cpu._threads import cutting_all

    split = Split("train", np.ones((8, 28, 28), np.uint8), np.zeros(8, np.int64))
    for cutting in (nullcontext, cutting_all):
        with cutting():
            next(Batches(split, 8, dtype=dtype, augment=Augment()).epoch(0))
