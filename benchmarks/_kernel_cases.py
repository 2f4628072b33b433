"""What `kernels.py` measures: single layers at sizes that occur, and what is beside the layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Case:
    """One layer (or a chain that fuses) on a batch.

    Layers and torch modules are written as calls, so that a process with one of the packages can read the list.
    """

    name: str
    layers: Callable[[Any], list[Any]]  # of the module scratchnet
    torch: Callable[[Any], Any] | None  # of torch.nn; None where there is no counterpart
    shape: tuple[int, ...]  # of a sample
    batch: int
    below: int = 0  # x is whole numbers below this


def _conv(i: int, o: int, size: int, batch: int, kernel: int = 3, stride: int = 1) -> Case:
    pad = kernel // 2
    return Case(
        f"Conv2d {i}→{o} {kernel}×{kernel}" + f"/{stride}" * (stride > 1),
        lambda s: [s.Conv2d(o, kernel, stride=stride, padding=pad)],
        lambda nn: nn.Conv2d(i, o, kernel, stride, pad),
        (i, size, size),
        batch,
    )


def _block(i: int, o: int, size: int, batch: int) -> Case:
    return Case(
        f"Conv2d {i}→{o} 3×3, ReLU, MaxPool2d 2",
        lambda s: [s.Conv2d(o, 3, padding=1), s.ReLU(), s.MaxPool2d(2)],
        lambda nn: nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        (i, size, size),
        batch,
    )


def _dense(i: int, o: int, batch: int) -> Case:
    return Case(f"Dense {i}→{o}", lambda s: [s.Dense(o)], lambda nn: nn.Linear(i, o), (i,), batch)


def _dense_relu(i: int, o: int, batch: int) -> Case:
    return Case(
        f"Dense {i}→{o}, ReLU",
        lambda s: [s.Dense(o), s.ReLU()],
        lambda nn: nn.Sequential(nn.Linear(i, o), nn.ReLU()),
        (i,),
        batch,
    )


def _same(name: str, shape: tuple[int, ...], batch: int, torch_name: str | None = None) -> Case:
    return Case(name, lambda s: [getattr(s, name)()], lambda nn: getattr(nn, torch_name or name)(), shape, batch)


MAPS, TOKENS = (16, 28, 28), (48, 64)
CASES = (
    _dense(784, 128, 32),
    _dense(784, 128, 512),
    _dense(128, 10, 128),
    _dense(512, 512, 128),
    _dense_relu(784, 128, 1),
    _dense_relu(784, 128, 32),
    _dense_relu(512, 512, 128),
    _conv(1, 16, 28, 64),
    _conv(16, 32, 14, 64),
    _conv(32, 64, 16, 64),
    _conv(16, 32, 32, 64, stride=2),
    _conv(16, 32, 32, 64, kernel=1),
    _block(1, 16, 28, 64),
    _block(16, 32, 14, 64),
    Case("MaxPool2d 2", lambda s: [s.MaxPool2d(2)], lambda nn: nn.MaxPool2d(2), MAPS, 64),
    Case("AvgPool2d 2", lambda s: [s.AvgPool2d(2)], lambda nn: nn.AvgPool2d(2), MAPS, 64),
    Case("GlobalAvgPool2d", lambda s: [s.GlobalAvgPool2d()], lambda nn: nn.AdaptiveAvgPool2d(1), MAPS, 64),
    Case("BatchNorm2d", lambda s: [s.BatchNorm2d()], lambda nn: nn.BatchNorm2d(16), MAPS, 64),
    Case("GroupNorm 4", lambda s: [s.GroupNorm(4)], lambda nn: nn.GroupNorm(4, 16), MAPS, 64),
    Case("LayerNorm", lambda s: [s.LayerNorm()], lambda nn: nn.LayerNorm(64), TOKENS, 64),
    *(_same(name, MAPS, 64) for name in ("ReLU", "GELU", "SiLU", "Sigmoid", "Tanh", "ELU", "LeakyReLU", "Softplus")),
    Case("Softmax", lambda s: [s.Softmax()], lambda nn: nn.Softmax(-1), (1000,), 128),
    Case("Dropout 0.5", lambda s: [s.Dropout(0.5)], lambda nn: nn.Dropout(0.5), MAPS, 64),
    Case("Embedding 5000×64", lambda s: [s.Embedding(5000, 64)], lambda nn: nn.Embedding(5000, 64), (48,), 64, 5000),
    Case("LSTM 64", lambda s: [s.LSTM(64)], lambda nn: nn.LSTM(64, 64, batch_first=True), TOKENS, 32),
    Case("GRU 64", lambda s: [s.GRU(64)], lambda nn: nn.GRU(64, 64, batch_first=True), TOKENS, 32),
    Case("RNN 64", lambda s: [s.RNN(64)], lambda nn: nn.RNN(64, 64, batch_first=True), TOKENS, 32),
    Case("MultiHeadAttention 4", lambda s: [s.MultiHeadAttention(4)],
         lambda nn: nn.MultiheadAttention(64, 4, batch_first=True), TOKENS, 32),
    Case("ConvTranspose2d 16→16 2×2/2", lambda s: [s.ConvTranspose2d(16, 2, stride=2)],
         lambda nn: nn.ConvTranspose2d(16, 16, 2, 2), (16, 14, 14), 32),
)  # fmt: skip
OPTIMIZERS = ("sgd", "adam", "rmsprop")
BESIDE = (
    *("gather_scale", "gather_augment", "softmax_cross_entropy", *OPTIMIZERS, "zero_grad"),
    *(f"{name}, zero" for name in OPTIMIZERS),  # the gradients zeroed as well: step(zero=True) for step and zero_grad
)
