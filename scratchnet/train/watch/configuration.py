"""What a run was made of, as plain values: what config.json holds and the doctor quotes."""

from __future__ import annotations

from typing import Any

from scratchnet.core.loss import Loss
from scratchnet.core.network import Network
from scratchnet.optim import Optimizer


def configuration(net: Network, loss: Loss, optimizer: Optimizer) -> dict[str, Any]:
    """Layers, loss and optimizer as their source; sizes, seed, backend and element type of the network."""
    return {
        "layers": [repr(child) for _, child in net.body.children()],
        "input_shape": list(net.input_shape),
        "output_shape": list(net.output_shape),
        "parameters": net.parameter_count,
        "loss": repr(loss),
        "optimizer": repr(optimizer),
        "lr": optimizer.lr,
        "seed": net.seed,
        "backend": net.backend.name,
        "dtype": str(net.dtype),
        "fuse": net.fuse,
        "ties": dict(net.parameters.ties),
    }
