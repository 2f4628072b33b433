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
        *(0.1229010194773, -1.40416251681, 7.258062184505, -22.39735731565, 45.78560742113, -64.98469097152),
        *(65.33487234928, -46.95872218851, 24.6183866859, -9.951561496581, 3.124687184195, -0.5519711119545),
        *(0.145772094788, -0.1061279628449, -0.1425102930545, -0.08600874514033, 0.08333583228499, 0.3749999536622),
        *(1.000000000341, -1.265512123485),
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
