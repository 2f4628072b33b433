"""Data sets of the doctor's benchmark: small, drawn anew for every run, with a clean part that no fault touches.

Pictures: digits drawn by scratchnet, and MNIST, Fashion-MNIST and CIFAR-10 where $SCRATCHNET_DATA has them (drawn
digits stand in where not). The rest is made here: Gaussian blobs, spirals, rings, and a table whose classes a small
random network has given.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from scratchnet.data import Batches, Dataset, Split, UnavailableError, load
from scratchnet.data.drawn import drawn

Array = np.ndarray[Any, Any]
Rng = np.random.Generator
Pair = tuple[Array, Array]
PICTURES = ("digits", "mnist", "fashion", "cifar10")
BENT = ("spirals", "rings", "table")  # no straight line parts their classes
FLAT = ("blobs", *BENT)
UNSEEN = 400  # clean samples that tell how good a network really is


@dataclass
class Task:
    """Samples by split ("train", "val", "test"), and how they reach the network: scale · x + shift.

    `truth` is not part of the run: clean samples of the same kind, on which harm is measured.
    """

    name: str
    classes: int
    splits: dict[str, Split]
    truth: Split
    scale: float = 1.0
    shift: float = 0.0
    notes: list[str] = field(default_factory=list)

    @property
    def train(self) -> Split:
        """What is trained on."""
        return self.splits["train"]

    @property
    def pictures(self) -> bool:
        """Whether samples are pictures."""
        return self.name in PICTURES

    def change(self, split: str, x: Array | None = None, y: Array | None = None) -> None:
        """Other samples or labels for a split."""
        old = self.splits[split]
        self.splits[split] = Split(split, old.x if x is None else x, old.y if y is None else y)

    def batches(self, split: Split, size: int, **settings: Any) -> Batches:
        """The split in batches, scaled as the run scales."""
        return Batches(split, min(size, len(split)), scale=self.scale, shift=self.shift, **settings)


def draw_task(rng: Rng, kinds: tuple[str, ...], train: int, val: int, side: int = 28) -> Task:
    """A task of one of these kinds, scaled in one of the usual ways. `side` is that of grey pictures: 28 or 14."""
    name = str(rng.choice(kinds))
    if name in ("mnist", "fashion", "cifar10") and _files(name) is None:
        name = "digits"
    sizes = {"train": train, "val": val, "test": val}
    (x, y), classes = samples(name, rng, sum(sizes.values()) + UNSEEN)
    if x.ndim == 4 or (x.ndim == 3 and side == 14):
        x = halved(x)
    splits, at = {}, 0
    for split, n in sizes.items():
        splits[split] = Split(split, x[at : at + n], y[at : at + n])
        at += n
    scale, shift = usual_scale(x, rng)
    return Task(name, classes, splits, Split("truth", x[at:], y[at:]), scale, shift)


def halved(x: Array) -> Array:
    """Pictures of half the side, each pixel the mean of four."""
    *front, h, w = x.shape
    parts = x.reshape(*front, h // 2, 2, w // 2, 2)  # (..., H, W) -> (..., H/2, 2, W/2, 2)
    return (parts.mean((-3, -1)) + 0.5).astype(np.uint8)


def usual_scale(x: Array, rng: Rng) -> tuple[float, float]:
    """Pixels to [0, 1], to [-1, 1], or to mean 0 and deviation 1; features are standardised already."""
    if x.dtype != np.uint8:
        return 1.0, 0.0
    mean, std = float(x.mean()), float(x.std())
    ways = ((1 / 255, 0.0), (2 / 255, -1.0), (1 / std, -mean / std))
    return ways[int(rng.integers(3))]


def samples(name: str, rng: Rng, n: int) -> tuple[Pair, int]:
    """n samples in random order, and the number of their classes."""
    found = _files(name)
    if name in ("mnist", "fashion") and found is not None:
        index = rng.choice(len(found.train), n, replace=False)
        return (found.train.x[index], found.train.y[index]), 10
    if name == "cifar10" and found is not None:
        kept = rng.choice(np.array([[0, 6], [1, 2], [8, 6]]))  # pairs that a small network tells apart
        index = rng.permutation(np.flatnonzero(np.isin(found.train.y, kept)))[:n]
        return (found.train.x[index], (found.train.y[index] == kept[1]).astype(np.int64)), 2
    if name == "digits":
        return drawn(n, seed=int(rng.integers(1 << 30))), 10
    makers = {"blobs": blobs, "spirals": spirals, "rings": rings, "table": table}
    x, y, classes = makers[name](rng, n)
    x = (x - x.mean(0)) / x.std(0)
    return (x.astype(np.float32), y.astype(np.int64)), classes


@cache
def _files(name: str) -> Dataset | None:
    """What $SCRATCHNET_DATA holds; nothing is downloaded."""
    if name not in ("mnist", "fashion", "cifar10"):
        return None
    folder = os.environ.get("SCRATCHNET_DATA")
    try:
        return load(name, folder, val=0) if folder else None
    except UnavailableError:
        return None


def available() -> list[str]:
    """The data sets that are at hand beside what is made here."""
    return [name for name in ("mnist", "fashion", "cifar10") if _files(name) is not None]


def blobs(rng: Rng, n: int) -> tuple[Array, Array, int]:
    """A Gaussian a class, the nearest two 4.5 to 7 standard deviations apart."""
    classes, features = int(rng.integers(2, 13)), int(rng.integers(4, 41))
    centres = rng.normal(size=(classes, features))
    gaps = np.linalg.norm(centres[:, None] - centres[None], axis=2)[np.triu_indices(classes, 1)]
    centres *= rng.uniform(4.5, 7) / gaps.min()
    y = rng.integers(classes, size=n)
    return centres[y] + rng.normal(size=(n, features)), y, classes


def spirals(rng: Rng, n: int) -> tuple[Array, Array, int]:
    """Two to four arms in the plane."""
    classes, turns = int(rng.integers(2, 5)), rng.uniform(0.6, 1.0)
    y = rng.integers(classes, size=n)
    t = np.sqrt(rng.uniform(0.02, 1, n))
    angle = 2 * np.pi * (turns * t + y / classes)
    x = np.stack([t * np.cos(angle), t * np.sin(angle)], 1)  # (N,) -> (N, 2)
    return x + rng.normal(0, 0.02, x.shape), y, classes


def rings(rng: Rng, n: int) -> tuple[Array, Array, int]:
    """Two or three shells around the origin of two to four dimensions."""
    classes, features = int(rng.integers(2, 4)), int(rng.integers(2, 5))
    y = rng.integers(classes, size=n)
    x = rng.normal(size=(n, features))
    x *= ((1 + y + rng.normal(0, 0.12, n)) / np.linalg.norm(x, axis=1))[:, None]
    return x, y, classes


def table(rng: Rng, n: int) -> tuple[Array, Array, int]:
    """Features of several kinds; a small random network gives the class, and samples that it is unsure of go."""
    classes, features = int(rng.integers(2, 5)), int(rng.integers(5, 13))
    x = rng.normal(size=(8 * n, features))
    x[:, 0] = x[:, 0] > 0.3  # a yes or no
    x[:, 1] = np.exp(0.5 * x[:, 1])  # an amount
    inner = np.tanh(x @ rng.normal(0, 1.2 / np.sqrt(3), (features, 4)))
    score = inner @ rng.normal(size=(4, classes))
    y = (score - np.median(score, 0)).argmax(1)
    order = np.sort(score - np.median(score, 0), 1)
    sure = np.argsort(order[:, -2] - order[:, -1])  # the surest first
    sure = rng.permutation(sure[: 3 * n])[:n]
    return x[sure], y[sure], classes


def copied(task: Task) -> Task:
    """A copy whose splits can be exchanged."""
    return replace(task, splits=dict(task.splits), notes=list(task.notes))
