"""AdamW: Adam, and beside it a pull of every parameter towards zero."""

from __future__ import annotations

from dataclasses import dataclass

from .adam import Adam


@dataclass(frozen=True)
class AdamW(Adam):
    """p -= lr·weight_decay·p, then Adam's step with the bare gradient (Loshchilov & Hutter 2019, algorithm 2).

    Settings are Adam's; weight_decay begins at 0.01 as in PyTorch.
    """

    weight_decay: float = 0.01

    @property
    def decoupled(self) -> bool:
        """The decay acts on p directly."""
        return True
