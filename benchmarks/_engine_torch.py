"""PyTorch's training step, eager or under torch.compile, as its users write it.

The set lies in memory as uint8; a batch is an index_select, converted and scaled in place. Gradients are set to None,
the optimizer is the fused SGD, the loss is read when the slice of steps is over. Under torch.compile model and loss are
one compiled function (backward included), with static shapes. Tensors are contiguous NCHW, the default.
"""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import torch
from _nets import NETS, Net, data, orders
from torch import nn
from torch.nn import functional as F


class Body(nn.Module):
    """Residual blocks, an LSTM's last state and attention with one argument: what nn.Sequential cannot say."""

    def __init__(self, body: nn.Module, shortcut: nn.Module | None = None, kind: str = "residual") -> None:
        super().__init__()
        self.body, self.shortcut, self.kind = body, shortcut, kind

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.kind == "last":
            states: torch.Tensor = self.body(x)[0]
            return states[:, -1]
        if self.kind == "attention":
            mixed: torch.Tensor = self.body(x, x, x, need_weights=False)[0]
            return mixed
        added: torch.Tensor = self.body(x) + (x if self.shortcut is None else self.shortcut(x))
        return added


def _conv_bn(i: int, o: int, kernel: int = 3, stride: int = 1, bias: bool = False) -> list[nn.Module]:
    return [nn.Conv2d(i, o, kernel, stride, kernel // 2, bias=bias), nn.BatchNorm2d(o)]


def _block(i: int, o: int, stride: int) -> Body:
    body = nn.Sequential(*_conv_bn(i, o, 3, stride), nn.ReLU(), *_conv_bn(o, o))
    return Body(body, None if stride == 1 else nn.Sequential(*_conv_bn(i, o, 1, stride)))


def module(name: str) -> nn.Module:
    """The net by name, with PyTorch's own initial weights."""
    relu, pool = nn.ReLU, nn.MaxPool2d
    if name == "mlp":
        return nn.Sequential(nn.Linear(784, 128), relu(), nn.Linear(128, 10))
    if name == "deep":
        sizes = (784, 512, 512, 512, 512)
        hidden = [m for i, o in pairwise(sizes) for m in (nn.Linear(i, o), relu())]
        return nn.Sequential(*hidden, nn.Linear(512, 10))
    if name == "cnn":
        first = nn.Conv2d(1, 16, 3, padding=1), relu(), pool(2)
        second = nn.Conv2d(16, 32, 3, padding=1), relu(), pool(2)
        return nn.Sequential(*first, *second, nn.Flatten(), nn.Linear(1568, 10))
    if name == "cnn_bn":
        blocks = *_conv_bn(3, 32, bias=True), relu(), pool(2), *_conv_bn(32, 64, bias=True), relu(), pool(2)
        return nn.Sequential(*blocks, nn.Flatten(), nn.Linear(4096, 10))
    if name == "resnet":
        blocks = *_conv_bn(3, 16), relu(), _block(16, 16, 1), relu(), _block(16, 32, 2), relu()
        return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))
    if name == "lstm":
        return nn.Sequential(Body(nn.LSTM(28, 128, batch_first=True), kind="last"), nn.Linear(128, 10))
    heads = Body(nn.MultiheadAttention(64, 4, batch_first=True), kind="attention")
    block = Body(nn.Sequential(nn.LayerNorm(64), heads))
    return nn.Sequential(block, nn.LayerNorm(64), nn.Flatten(), nn.Linear(3072, 10))


class Engine:
    """The loop that a user writes."""

    def __init__(self, net: Net, batch: int, variant: str, threads: int) -> None:
        torch.set_num_threads(threads)
        images, labels, _ = data(net)
        self.images, self.labels = torch.from_numpy(images), torch.from_numpy(labels)
        self.shape, self.batch = net.shape, batch
        model = module(net.name)
        with torch.no_grad():
            for parameter, value in zip(model.parameters(), net.weights(), strict=True):
                parameter.copy_(torch.from_numpy(value))
        self.opt = torch.optim.SGD(model.parameters(), lr=net.lr, fused=True)

        def loss(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return F.cross_entropy(model(x), y)

        self.loss: Any = torch.compile(loss, dynamic=False) if variant == "compiled" else loss

    def train(self, first: int, steps: int) -> list[float]:
        """Steps from step `first` on; the loss of each."""
        values = []
        for order in orders(len(self.images), self.batch, first, steps):
            index = torch.from_numpy(order)
            x = self.images.index_select(0, index).float().mul_(1 / 255).view(-1, *self.shape)
            y = self.labels.index_select(0, index)
            self.opt.zero_grad(set_to_none=True)
            value = self.loss(x, y)
            value.backward()
            self.opt.step()
            values.append(value.detach())
        return [float(value) for value in values]


current: list[Engine] = []


def start(net: str, batch: int, variant: str, threads: int) -> str:
    """Make the engine ready; return its version."""
    torch._dynamo.reset()
    current[:] = [Engine(NETS[net], batch, variant, threads)]
    return torch.__version__


def train(first: int, steps: int) -> tuple[float, list[float]]:
    """(seconds, losses)"""
    began = time.perf_counter()
    losses = current[0].train(first, steps)
    return time.perf_counter() - began, losses
