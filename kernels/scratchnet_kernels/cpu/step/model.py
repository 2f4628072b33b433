"""What the emitters read: a training step as calls of ops on stretches of a few flat arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ...errors import ScratchnetError
from ...op import OPS


class NotEmittedError(ScratchnetError, NotImplementedError):
    """The source of this step cannot be written: what stands in the way is in the message."""


@dataclass(frozen=True)
class View:
    """A contiguous stretch of a flat array.

    Attributes:
        store: "parameters", "gradients", an optimizer's slot such as "velocity", "memory" for what lives within a
            step, or "labels" for a batch's class indices, which are int64.
        start: its first element.
        shape: how it is read.
    """

    store: str
    start: int
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Elements."""
        return math.prod(self.shape)

    @property
    def stop(self) -> int:
        """One past its last element."""
        return self.start + self.size

    def overlaps(self, other: View) -> bool:
        """Whether the two share memory."""
        return self.store == other.store and self.start < other.stop and other.start < self.stop


@dataclass(frozen=True)
class Operation:
    """One call of an op: its arguments in order, arrays as Views.

    Attributes:
        path: the layer's name in the network, "2"; empty for loss and optimizer.
        layer: its source, "Dense(10)".
        flops: as the op declares them.
    """

    op: str
    args: tuple[Any, ...]
    path: str
    layer: str
    flops: int

    def __getitem__(self, name: str) -> Any:
        """The argument of that name."""
        return self.args[OPS[self.op].parameters.index(name)]

    @property
    def views(self) -> dict[str, View]:
        """The arrays among the arguments, by name."""
        named = zip(OPS[self.op].parameters, self.args, strict=True)
        return {name: value for name, value in named if isinstance(value, View)}


@dataclass(frozen=True)
class Model:
    """A whole step.

    Attributes:
        title: layers, loss and optimizer as source, one a line.
        batch_size: samples a step.
        dtype: "float32" or "float64".
        x: the batch; targets: what it should give, class indices in "labels" or floats in "memory".
        memory: elements of "memory" that the ops use.
        slots: the optimizer's stores.
        names: of parameters and gradients, by (store, first element): "0.W".
        forward, loss, backward, update: the calls.
    """

    title: tuple[str, ...]
    batch_size: int
    dtype: str
    x: View
    targets: View
    memory: int
    slots: tuple[str, ...]
    names: dict[tuple[str, int], str]
    forward: tuple[Operation, ...]
    loss: tuple[Operation, ...]
    backward: tuple[Operation, ...]
    update: tuple[Operation, ...]

    @property
    def operations(self) -> tuple[Operation, ...]:
        """All of them, in order."""
        return self.forward + self.loss + self.backward + self.update
