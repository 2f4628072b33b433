"""Under which shapes, settings and values a layer or loss must hold: what `cases()` describes and the suites draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

import numpy as np

from .types import Leaves, Shape

T = TypeVar("T")

Values = Literal["normal", "ties", "large", "positive", "index"]


class Draw(Protocol):
    """A source of choices. Backed by hypothesis in the tests (which shrinks), by a random generator elsewhere."""

    def integer(self, low: int, high: int) -> int:
        """A whole number, low <= n <= high."""
        ...

    def one_of(self, *options: T) -> T:
        """One of the options."""
        ...


class RandomDraw:
    """Choices from a NumPy generator."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def integer(self, low: int, high: int) -> int:
        """A whole number, low <= n <= high."""
        return int(self.rng.integers(low, high, endpoint=True))

    def one_of(self, *options: T) -> T:
        """One of the options."""
        return options[self.integer(0, len(options) - 1)]


@dataclass(frozen=True)
class Case:
    """One setting of a layer to hold against every check.

    Attributes:
        layer: the layer, with the hyper-parameters of this case.
        in_shape: its input's shape without the batch axis, or a NamedTuple of shapes.
        values: how the input is drawn: "normal"; "ties" (small integers, so that maxima tie and kinks are hit);
            "large" (normal times 100); "positive"; "index" (integers below `index_below`). One for all leaves of a
            NamedTuple, or a NamedTuple of them.
        index_below: the bound for "index".
        mixes_batch: the rows of a batch depend on each other in training (BatchNorm).
        random: the forward draws random numbers in training (Dropout).
        side: side inputs by name, as shapes without the batch axis.
        masks: the same for side inputs of True and False.
    """

    layer: Any
    in_shape: Shape | Leaves
    values: Values | Leaves = "normal"
    index_below: int = 0
    mixes_batch: bool = False
    random: bool = False
    side: Mapping[str, Shape] = field(default_factory=dict)
    masks: Mapping[str, Shape] = field(default_factory=dict)
