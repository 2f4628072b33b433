"""What training steps came to."""

from __future__ import annotations

from dataclasses import dataclass

from .types import Array


@dataclass(frozen=True)
class Trained:
    """What a number of steps came to.

    Attributes:
        losses: the loss of each step, under the parameters before it: float64 (steps,).
        sizes: samples of each step: int64 (steps,).
        correct: right answers in all, each under the parameters of its step; None where targets are no classes.
        reason: why the steps ran through the layers; "" where whole batches ran in the compiled function.
    """

    losses: Array
    sizes: Array
    correct: int | None
    reason: str = ""

    @property
    def loss(self) -> float:
        """The mean over samples."""
        return float(self.losses @ self.sizes / max(self.sizes.sum(), 1))

    @property
    def accuracy(self) -> float | None:
        """The share of right answers."""
        return None if self.correct is None else self.correct / max(int(self.sizes.sum()), 1)
