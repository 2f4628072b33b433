"""What an optimizer remembers: it belongs to the network, so that optimizers are plain settings."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from .store import Store


class HasSlots(Protocol):
    """What the network asks of an optimizer: which stores it keeps."""

    @property
    def slots(self) -> tuple[str, ...]:
        """Their names."""
        ...


class OptimizerState:
    """What an optimizer keeps between steps: stores by name, and how many steps were made."""

    def __init__(self) -> None:
        self.stores: dict[str, Store] = {}
        self.steps = 0
        self.hyper = np.zeros(4)  # lr, step, clip factor, inverse loss scale: what reaches the kernel

    def copy(self) -> OptimizerState:
        """A state of its own with the same values."""
        twin = OptimizerState()
        twin.stores = {name: store.copy() for name, store in self.stores.items()}
        twin.steps = self.steps
        twin.hyper[:] = self.hyper
        return twin
