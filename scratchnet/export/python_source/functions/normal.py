"""GELU, and the error function that it needs and NumPy lacks."""

from __future__ import annotations

import math

import numpy as np

from .array import Array


def erf(x: Array) -> Array:
    """erf x = 2/√π ∫₀ˣ e^-t² dt = ±(1 - t·e^(-x² + P(t))) with t = 1 / (1 + |x|/2); off by 1e-12 at most.

    P is of degree 19, fitted at Chebyshev's points of 0 < t <= 1, the highest power first.
    """
    P = (
        *(0.12290101947725848, -1.4041625168101333, 7.25806218450535, -22.397357315652172, 45.78560742113025),
        *(-64.98469097152169, 65.33487234927735, -46.95872218851427, 24.61838668589659, -9.951561496581196),
        *(3.124687184195429, -0.551971111954485, 0.145772094788043, -0.10612796284493435, -0.14251029305447627),
        *(-0.08600874514032515, 0.08333583228498831, 0.37499995366221867, 1.000000000341059, -1.2655121234850628),
    )
    z = np.abs(x.astype(np.float64))
    t = 1 / (1 + 0.5 * z)
    return np.copysign(1 - t * np.exp(np.polyval(P, t) - z * z), x).astype(x.dtype)


def normal_cdf(x: Array) -> Array:
    """Φ(x) = (1 + erf(x/√2)) / 2."""
    return (1 + erf(x * np.sqrt(x.dtype.type(0.5)))) * 0.5


def gelu(x: Array) -> Array:
    """y = x·Φ(x)."""
    return x * normal_cdf(x)


def gelu_backward(x: Array, dy: Array) -> Array:
    """Of y = x·Φ(x): dx = dy·(Φ(x) + x·φ(x)) with φ(x) = e^(-x²/2) / √(2π)."""
    density = np.exp(-x * x * 0.5) / math.sqrt(2 * math.pi)
    return dy * (normal_cdf(x) + x * density)


def gelu_tanh(x: Array) -> Array:
    """y = x·(1 + tanh u)/2 with u = √(2/π)·(x + 0.044715·x³)."""
    root = np.sqrt(x.dtype.type(2) / x.dtype.type(math.pi))
    return x * (1 + np.tanh((x + x * x * x * 0.044715) * root)) * 0.5


def gelu_tanh_backward(x: Array, dy: Array) -> Array:
    """Of y = x·(1 + t)/2, t = tanh u: dx = dy·(1 + t + x·(1 - t²)·u')/2, u' = √(2/π)·(1 + 3·0.044715·x²)."""
    root = np.sqrt(x.dtype.type(2) / x.dtype.type(math.pi))
    t = np.tanh((x + x * x * x * 0.044715) * root)
    slope = (1 + x * x * 3 * 0.044715) * root
    return dy * 0.5 * (1 + t + x * (1 - t * t) * slope)
