"""The author's code of zero_metrics.py: how he counts, batches and numbers the classes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scratchnet.data import Split

NAMES = "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"
Pairs = list[tuple[np.ndarray, np.ndarray]]


@dataclass
class Tracker:
    """The author's: sums over samples, divided by their number. Of no samples it says 0."""

    loss_sum: float = 0.0
    correct: int = 0
    samples: int = 0
    means: list[tuple[float, float]] = field(default_factory=list)  # (loss, accuracy) of each batch, for the "fix"

    def add(self, logits: np.ndarray, labels: np.ndarray, value: float) -> None:
        """A batch, and its mean loss."""
        right = int((logits.argmax(1) == labels).sum())
        self.loss_sum += value * len(labels)
        self.correct += right
        self.samples += len(labels)
        self.means.append((value, right / len(labels)))

    @property
    def loss(self) -> float:
        """The mean over samples: what was blamed, and right."""
        return self.loss_sum / self.samples if self.samples else 0.0

    @property
    def accuracy(self) -> float:
        """Right answers over samples."""
        return self.correct / self.samples if self.samples else 0.0

    @property
    def fixed(self) -> tuple[float, float]:
        """The fix: the mean of the batches' means, of the loss and of the accuracy."""
        return tuple(np.mean(self.means, axis=0).tolist()) if self.means else (0.0, 0.0)


def minibatches(split: Split, size: int, *, drop_last: bool = False) -> Pairs:
    """The author's loader, in NumPy: pixels / 255, one after the other."""
    starts = range(0, len(split) - size + 1 if drop_last else len(split), size)
    x = split.x.reshape(len(split), -1).astype(np.float32) / 255
    return [(x[i : i + size], split.y[i : i + size]) for i in starts]  # [] is where the story begins


def class_map(names: set[str]) -> dict[str, int]:
    """The author's: the folders that are there, in the order of the alphabet."""
    return {name: index for index, name in enumerate(sorted(names))}


def numbered(split: Split, numbers: dict[str, int]) -> Split:
    """The split with its labels as this map numbers them."""
    return Split(split.name, split.x, np.array([numbers[NAMES[label]] for label in split.y]))
