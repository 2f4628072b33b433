"""Smooth activations and the softmax: forgotten factors, dropped terms."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import erf

from scratchnet.core.types import Array

from .species import Species, bug


def sigmoid_forward(x: Array) -> tuple[Array, Any]:
    """out = 1 / (1 + e⁻ˣ)."""
    out = 1 / (1 + np.exp(-x))
    return out, (x, out)


def sigmoid_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array]:
    """dx = dout·s·(1 − s)."""
    x, s = cache
    if wrong == "sigmoid twice":
        s = 1 / (1 + np.exp(-s))
    elif wrong == "x for out":
        s = x
    return (dout * s if wrong == "1 - s forgotten" else dout * s * (1 - s),)


def tanh_forward(x: Array) -> tuple[Array, Any]:
    """out = tanh(x)."""
    out = np.tanh(x)
    return out, (x, out)


def tanh_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array]:
    """dx = dout·(1 − out²)."""
    x, out = cache
    if wrong == "x for out":
        out = x
    return (dout * (1 - out) if wrong == "square forgotten" else dout * (1 - out**2),)


def gelu_forward(x: Array) -> tuple[Array, Any]:
    """out = x·Φ(x), Φ the normal distribution."""
    return x * 0.5 * (1 + erf(x / np.sqrt(2))), x


def gelu_backward(dout: Array, x: Any, wrong: str = "") -> tuple[Array]:
    """dx = dout·(Φ(x) + x·φ(x))."""
    below, density = 0.5 * (1 + erf(x / np.sqrt(2))), np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    if wrong == "x·φ dropped":
        return (dout * below,)
    if wrong == "x in x·φ forgotten":
        return (dout * (below + density),)
    if wrong == "of the tanh formula":
        inner, slope = np.sqrt(2 / np.pi) * (x + 0.044715 * x**3), np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * x**2)
        return (dout * (0.5 * (1 + np.tanh(inner)) + 0.5 * x * (1 - np.tanh(inner) ** 2) * slope),)
    return (dout * (below + x * (density * np.sqrt(2 * np.pi) if wrong == "1/√2π forgotten" else density)),)


def silu_forward(x: Array) -> tuple[Array, Any]:
    """out = x·s(x), s the sigmoid."""
    s = 1 / (1 + np.exp(-x))
    return x * s, (x, s)


def silu_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array]:
    """dx = dout·(s + x·s·(1 − s))."""
    x, s = cache
    return (dout * s if wrong == "x·s' dropped" else dout * (s + x * s * (1 - s)),)


def softplus_forward(x: Array) -> tuple[Array, Any]:
    """out = log(1 + eˣ), without overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(-abs(x))), x


def softplus_backward(dout: Array, x: Any, wrong: str = "") -> tuple[Array]:
    """dx = dout·s(x)."""
    with np.errstate(all="ignore"):
        return (dout * (np.exp(x) / (1 + np.exp(x)) if wrong == "overflow" else 0.5 * (1 + np.tanh(x / 2))),)


def softmax_forward(x: Array) -> tuple[Array, Any]:
    """out = eˣ / Σ eˣ over each row."""
    e = np.exp(x - x.max(1, keepdims=True))
    out = e / e.sum(1, keepdims=True)
    return out, out


def softmax_backward(dout: Array, q: Any, wrong: str = "") -> tuple[Array]:
    """dx = q·(dout − Σ dout·q)."""
    if wrong == "diagonal only":
        return (q * (1 - q) * dout,)
    if wrong == "sum dropped":
        return (q * dout,)
    if wrong == "q outside forgotten":
        return (dout - (dout * q).sum(1, keepdims=True),)
    return (q * (dout - (dout * q).sum(0 if wrong == "sum over the batch" else 1, keepdims=True)),)


def _x(*shape: int) -> Any:
    return lambda rng: {"x": rng.normal(size=shape)}


_g, _s = gelu_backward, softmax_backward
SPECIES = (
    Species(
        "sigmoid", sigmoid_forward, sigmoid_backward, _x(3, 5),
        (
            bug(sigmoid_backward, "sigmoid twice", "x", "array factor", "s'(out) for s'(x)",
                "dwhitena/gophernet issue #6 (the input of sigmoidPrime)"),
            bug(sigmoid_backward, "x for out", "x", "array factor", "x·(1 − x)",
                "iamtrask/iamtrask.github.io issue #12 (which of the two is x?)"),
            bug(sigmoid_backward, "1 - s forgotten", "x", "array factor", "dout·s"),
        ),
    ),
    Species(
        "tanh", tanh_forward, tanh_backward, _x(3, 5),
        (
            bug(tanh_backward, "square forgotten", "x", "array factor", "1 − out for 1 − out²",
                "microsoft/knossos-ksc pull request #505 (derivatives of tanh)"),
            bug(tanh_backward, "x for out", "x", "array factor", "1 − x²"),
        ),
    ),
    Species(
        "gelu", gelu_forward, gelu_backward, _x(4, 5),
        (
            bug(_g, "x·φ dropped", "x", "term missing, array factor", "the product rule's second term is missing",
                "sony/nnabla pull request #690; neoml-lib/neoml pull request #787 (GELU's backward)"),
            bug(_g, "x in x·φ forgotten", "x", "array factor, term missing", "Φ + φ"),
            bug(_g, "1/√2π forgotten", "x", "term missing, array factor", "the density without its constant"),
            bug(_g, "of the tanh formula", "x", "term missing, array factor",
                "the approximation's derivative, off by 1e-4",
                "Oneflow-Inc/oneflow pull request #8693 (formula and implementation differ)"),
        ),
    ),
    Species(
        "silu", silu_forward, silu_backward, _x(4, 5),
        (bug(silu_backward, "x·s' dropped", "x", "term missing, array factor",
             "the product rule's second term is missing"),),
    ),
    Species(
        "softplus, large", softplus_forward, softplus_backward,
        lambda rng: {"x": rng.normal(size=(3, 4)) + np.array([-1e3, 0, 0, 1e3])},
        (bug(softplus_backward, "overflow", "x", "not finite", "eˣ / (1 + eˣ) is ∞/∞ at 1000",
             "Lightning-AI/lightning-thunder pull request #2624 (NaN in a backward that decomposes silu)"),),
    ),
    Species(
        "softmax", softmax_forward, softmax_backward, _x(5, 6),
        (
            bug(_s, "diagonal only", "x", "term missing", "q·(1 − q): the Jacobian's diagonal"),
            bug(_s, "sum dropped", "x", "term missing", "q·dout"),
            bug(_s, "q outside forgotten", "x", "array factor", "dout − Σ dout·q, not times q"),
            bug(_s, "sum over the batch", "x", "term missing, rows mixed, axis not summed", "the sum runs over axis 0"),
        ),
    ),
)  # fmt: skip
