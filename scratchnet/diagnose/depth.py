"""How the gradient changes from the last weighted layer back to the first."""

from __future__ import annotations

from dataclasses import dataclass

from scratchnet.train.history.records import LayerLook, Look

WEIGHTED = ("Dense", "Conv1d", "Conv2d", "ConvTranspose2d", "ConvReluPool", "RNN", "GRU", "LSTM", "MultiHeadAttention")
LEAST = 3  # weighted layers between which something can grow by a law


@dataclass(frozen=True)
class Flow:
    """‖dL/dy‖ at the first weighted layer over that at the last: in total, and per layer (geometric mean)."""

    first: str
    last: str
    total: float
    gain: float


def weighted(look: Look) -> list[LayerLook]:
    """The layers with weights, first to last; those within others where they hold the weights."""
    return [layer for layer in look.layers if layer.kind in WEIGHTED]


def flow(look: Look) -> Flow | None:
    """None where fewer than three weighted layers tell their gradients; NaN where one of the two is not finite or 0."""
    told = [layer for layer in weighted(look) if layer.gradient is not None]
    if len(told) < LEAST:
        return None
    first, last = told[0].gradient or 0.0, told[-1].gradient or 0.0
    total = first / last if last else float("nan")
    return Flow(told[0].path, told[-1].path, total, total ** (1 / (len(told) - 1)) if total >= 0 else float("nan"))
