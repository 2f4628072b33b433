"""scratchnet's training step, in three variants: as Network gives it, unfused, and compiled whole."""

from __future__ import annotations

import inspect
import time
from typing import Any

import numpy as np
from _nets import NETS, SEED, Net, data, orders

from scratchnet import (
    LSTM,
    SGD,
    BatchNorm2d,
    Conv2d,
    Dense,
    Flatten,
    GlobalAvgPool2d,
    LayerNorm,
    MaxPool2d,
    MultiHeadAttention,
    Network,
    ReLU,
    Reshape,
    Residual,
    SoftmaxCrossEntropy,
    __version__,
)
from scratchnet.core import Layer, Sequential
from scratchnet.data import Batches, Split


def _conv_bn(out: int, kernel: int = 3, stride: int = 1, bias: bool = False) -> list[Layer]:
    return [Conv2d(out, kernel, stride=stride, padding=kernel // 2, bias=bias), BatchNorm2d()]


def _block(out: int, stride: int) -> Residual:
    body = Sequential(*_conv_bn(out, stride=stride), ReLU(), *_conv_bn(out))
    return Residual(body, None if stride == 1 else Sequential(*_conv_bn(out, 1, stride)))


LAYERS: dict[str, list[Layer]] = {
    "mlp": [Dense(128), ReLU(), Dense(10)],
    "deep": [Dense(512), ReLU(), Dense(512), ReLU(), Dense(512), ReLU(), Dense(512), ReLU(), Dense(10)],
    "cnn": [
        *(Conv2d(16, 3, padding=1), ReLU(), MaxPool2d(2)),
        *(Conv2d(32, 3, padding=1), ReLU(), MaxPool2d(2)),
        *(Flatten(), Dense(10)),
    ],
    "cnn_bn": [
        *(*_conv_bn(32, bias=True), ReLU(), MaxPool2d(2)),
        *(*_conv_bn(64, bias=True), ReLU(), MaxPool2d(2)),
        *(Flatten(), Dense(10)),
    ],
    "resnet": [*_conv_bn(16), ReLU(), _block(16, 1), ReLU(), _block(32, 2), ReLU(), GlobalAvgPool2d(), Dense(10)],
    "lstm": [Reshape(28, 28), LSTM(128, last=True), Dense(10)],
    "attention": [
        Reshape(48, 64),
        Residual(Sequential(LayerNorm(), MultiHeadAttention(4))),
        *(LayerNorm(), Flatten(), Dense(10)),
    ],
}


def variants() -> list[str]:
    """Those that the installed scratchnet has."""
    unfused = ["unfused"] if "fuse" in inspect.signature(Network).parameters else []
    return ["", *unfused, *(["compiled"] if hasattr(Network, "compile") else [])]


def network(net: Net, variant: str, **options: Any) -> Network:
    """The net with its initial weights."""
    options |= {"fuse": False} if variant == "unfused" else {}
    shape = (int(np.prod(net.shape)),) if len(net.shape) == 2 else net.shape  # a sequence is reshaped by the net
    made = Network(LAYERS[net.name], shape, **options)
    made.parameters.load(dict(zip(made.parameters.specs, net.weights(), strict=True)))
    return made


class Engine:
    """The loop that a user writes, with the loader that goes with it."""

    def __init__(self, net: Net, batch: int, variant: str) -> None:
        images, labels, _ = data(net)
        shape = net.shape if len(net.shape) == 3 else (-1,)
        split = Split("train", images.reshape(len(images), *shape), labels)
        self.batches = Batches(split, batch, seed=SEED, drop_last=True)
        for number, order in enumerate(orders(len(images), batch, 0, 2)):  # others compute this order for themselves
            if not np.array_equal(order, self.batches.order(0)[number * batch : (number + 1) * batch]):
                raise RuntimeError("the loader's order is not that of the other engines")
        self.net = network(net, variant)
        self.loss, self.opt = SoftmaxCrossEntropy(), SGD(net.lr)

    def train(self, first: int, steps: int) -> list[float]:
        """Steps from step `first` on; the loss of each."""
        net, loss, opt = self.net, self.loss, self.opt
        values: list[Any] = []
        while len(values) < steps:
            epoch, start = divmod(first + len(values), len(self.batches))
            for x, y in self.batches.epoch(epoch, start):
                logits, tape = net.forward(x, training=True)
                value, dlogits = loss(logits, y, tape)
                net.zero_grad()
                net.backward(dlogits, tape)
                opt.step(net)
                values.append(value)
                if len(values) == steps:
                    break
        return [float(value) for value in values]


class Compiled(Engine):
    """The same steps in one compiled function, which gathers by itself and makes all steps of an epoch in a call."""

    def __init__(self, net: Net, batch: int, variant: str) -> None:
        super().__init__(net, batch, variant)
        compiler: Any = self.net
        self.step = compiler.compile(self.loss, self.opt, batch_size=batch)
        if not self.step.compiled:
            raise RuntimeError(f"this net is not compiled: {self.step.reason}")

    def train(self, first: int, steps: int) -> list[float]:
        """Steps from step `first` on; the loss of each."""
        values: list[float] = []
        batches: Any = self.batches
        images, targets, scale, shift = batches.whole()
        while len(values) < steps:
            epoch, start = divmod(first + len(values), len(batches))
            stop = min(len(batches), start + steps - len(values))
            order = batches.order(epoch)[start * batches.batch_size : stop * batches.batch_size]
            values += self.step.run(images, targets, order, scale=scale, shift=shift).losses.tolist()
        return values


current: list[Engine] = []


def start(net: str, batch: int, variant: str, threads: int) -> str:
    """Make the engine ready; return its version."""
    current[:] = [(Compiled if variant == "compiled" else Engine)(NETS[net], batch, variant)]
    return __version__


def train(first: int, steps: int) -> tuple[float, list[float]]:
    """(seconds, losses)"""
    began = time.perf_counter()
    losses = current[0].train(first, steps)
    return time.perf_counter() - began, losses
