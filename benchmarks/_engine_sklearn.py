"""scikit-learn's MLPClassifier: partial_fit on pieces of some thousand gathered samples, which it cuts into batches.

So its checks of arguments are paid once a piece, not once a step. Momentum and weight decay are off, shuffling too,
because the pieces are shuffled already. It makes its weights at the first partial_fit; then they are overwritten, so
that it begins where the others begin. The first losses are read batch by batch, later ones piece by piece.
"""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
import sklearn
from _nets import NETS, STEPS_COMPARED, Net, data, orders
from sklearn.neural_network import MLPClassifier

PIECE = 4096  # samples of one partial_fit


class Engine:
    """The loop that a user writes."""

    def __init__(self, net: Net, batch: int) -> None:
        if net.name not in ("mlp", "deep"):
            raise ValueError("MLPClassifier has dense layers only")
        self.images, self.labels, _ = data(net)
        self.batch, weights = batch, net.weights()
        hidden = tuple(len(b) for b in weights[1:-2:2])
        self.model = MLPClassifier(
            hidden, solver="sgd", alpha=0, learning_rate_init=net.lr, momentum=0, nesterovs_momentum=False,
            batch_size=batch, shuffle=False, random_state=0,
        )  # fmt: skip
        self.model.partial_fit(self.images[:batch] * np.float32(1 / 255), self.labels[:batch], classes=np.arange(10))
        for own, value in zip(self.model.coefs_, weights[::2], strict=True):
            own[...] = value.T
        for own, value in zip(self.model.intercepts_, weights[1::2], strict=True):
            own[...] = value

    def train(self, first: int, steps: int) -> list[float]:
        """Steps from step `first` on; the mean loss of each piece, for each of its steps."""
        losses: list[float] = []
        at_once = 1 if first < STEPS_COMPARED else max(1, PIECE // self.batch)
        while len(losses) < steps:
            count = min(at_once, steps - len(losses))
            index = np.concatenate(list(orders(len(self.images), self.batch, first + len(losses), count)))
            self.model.partial_fit(self.images[index] * np.float32(1 / 255), self.labels[index])
            losses += [float(self.model.loss_)] * count
        return losses


current: list[Any] = []


def start(net: str, batch: int, variant: str, threads: int) -> str:
    """Make the engine ready; return its version."""
    warnings.simplefilter("ignore")
    current[:] = [Engine(NETS[net], batch)]
    return str(sklearn.__version__)


def train(first: int, steps: int) -> tuple[float, list[float]]:
    """(seconds, losses)"""
    began = time.perf_counter()
    losses = current[0].train(first, steps)
    return time.perf_counter() - began, losses
