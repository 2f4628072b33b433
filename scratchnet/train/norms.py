"""Gradient norms, a figure for each parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scratchnet.optim import parameter_norms

if TYPE_CHECKING:
    from scratchnet.core.network import Network


def gradient_norms(net: Network) -> dict[str, float]:
    """√(Σ g²) of every parameter's gradient, called L1_W, L1_b, L2_W, ...: the number counts layers with parameters.

    A norm says little alone: for a dense layer and one sample, ‖dW‖/‖db‖ is the norm of the layer's input.
    """
    layers: dict[str, int] = {}
    norms: dict[str, float] = {}
    for name, norm in parameter_norms(net).items():
        path, _, parameter = name.rpartition(".")
        number = layers.setdefault(path, len(layers) + 1)
        norms[f"L{number}_{parameter}"] = norm
    return norms
