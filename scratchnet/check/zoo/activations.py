"""Rectifiers: masks, slopes, forgotten cotangents."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.core.types import Array

from .species import Species, bug, right


def relu_forward(x: Array) -> tuple[Array, Any]:
    """out = max(x, 0)."""
    return np.maximum(x, 0), x


def relu_backward(dout: Array, x: Any, wrong: str = "") -> tuple[Array]:
    """dx = dout where x > 0."""
    if wrong == "changed in place":
        dout[x <= 0] = 0
        return (dout,)
    mask = {
        "mask of dout": dout > 0,
        "mask upside down": x < 0,
        "no mask": np.ones_like(x),
        "mask at 1": x > 1,
        "mask closed at 0": x >= 0,
    }.get(wrong, x > 0)
    if wrong == "dout forgotten":
        return (mask * 1.0,)
    if wrong == "guided":
        return (np.maximum(dout, 0) * mask,)
    if wrong == "x for the mask":
        return (dout * np.maximum(x, 0),)
    return (dout * mask,)


def leaky_forward(x: Array, slope: float) -> tuple[Array, Any]:
    """out = x where x > 0, else slope·x."""
    out = np.where(x > 0, x, slope * x)
    return out, (x, out, slope)


def leaky_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array]:
    """dx = dout where x > 0, else slope·dout."""
    x, out, slope = cache
    if wrong == "slope without dout":
        return (np.where(x > 0, dout, slope),)
    if wrong == "another slope":
        slope = 0.01
    if wrong == "mask of out":
        return (np.where(out > 0, dout, slope * dout),)
    return (np.where(x > 0, dout, 0 * dout if wrong == "slope taken for 0" else slope * dout),)


def _x(*shape: int, scale: float = 1.0, **more: Any) -> Any:
    return lambda rng: {"x": scale * rng.normal(size=shape)} | more


def _ties(rng: np.random.Generator) -> dict[str, Any]:
    return {"x": rng.integers(-2, 3, (5, 6)).astype(float)}


_r, _l = relu_backward, leaky_backward
SPECIES = (
    Species(
        "relu", relu_forward, relu_backward, _x(5, 6),
        (
            bug(_r, "mask of dout", "x", "mask, not linear", "dout > 0 for x > 0"),
            bug(_r, "mask upside down", "x", "mask", "x < 0 for x > 0"),
            bug(_r, "no mask", "x", "mask", "dx = dout"),
            bug(_r, "mask at 1", "x", "mask", "x > 1 for x > 0"),
            bug(_r, "dout forgotten", "x", "cotangent ignored", "the derivative without the chain",
                "pytorch/tutorials issue #216 (a backward that fills ones)"),
            bug(_r, "guided", "x", "not linear, mask", "negative dout is cut off, as guided backpropagation does"),
            bug(_r, "x for the mask", "x", "array factor", "dout·max(x, 0)"),
            bug(_r, "changed in place", "x", "mutation, aliasing", "dout[x <= 0] = 0 changes the caller's array",
                "pytorch/pytorch issue #81417; linkedin/Liger-Kernel issue #254"),
        ),
    ),
    Species(
        "relu, at ties", relu_forward, relu_backward, _ties,
        (bug(_r, "no mask", "x", "mask", "dx = dout"),),
        (right(_r, "mask closed at 0", "x >= 0: at x = 0 any slope between 0 and 1 is a subgradient"),),
    ),
    Species(
        "leaky relu", leaky_forward, leaky_backward, _x(4, 7, slope=0.2),
        (
            bug(_l, "slope without dout", "x", "cotangent ignored, mask", "slope, not slope·dout, where x < 0"),
            bug(_l, "another slope", "x", "mask, constant factor, array factor", "the default slope for the one in use",
                "deeplearning4j/deeplearning4j issue #8178 (backprop does not take alpha)"),
            bug(_l, "slope taken for 0", "x", "mask", "ReLU's backward under a leaky forward"),
        ),
    ),
    Species(
        "leaky relu, negative slope", leaky_forward, leaky_backward, _x(4, 7, slope=-2.0),
        (
            bug(_l, "mask of out", "x", "mask, array factor", "out > 0, which is not x > 0 where the slope is negative",
                "pytorch/pytorch issue #31938 (leaky_relu_ with a negative slope)"),
        ),
    ),
)  # fmt: skip
