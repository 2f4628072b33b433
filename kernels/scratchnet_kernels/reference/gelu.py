"""GELU: y = x·Φ(x), the input weighted by its rank in a normal distribution. Hendrycks and Gimpel 2016."""

from __future__ import annotations

from typing import Any

from ..op import op
from . import _math as m

CUBE = 0.044715


@op(x="...", y="...", out=("y",))
def gelu(x: Any, y: Any) -> None:
    """y = x·Φ(x) with Φ(x) = (1 + erf(x/√2)) / 2."""
    y[...] = x * _cdf(x)


@op(x="...", dy="...", dx="...", out=("dx",))
def gelu_backward(x: Any, dy: Any, dx: Any) -> None:
    """dx = dy·(Φ(x) + x·φ(x)) with φ(x) = e^(-x²/2) / √(2π)."""
    density = m.exp(-x * x * m.const(0.5, x)) / m.sqrt(m.const(2, x) * m.pi(x))
    dx[...] = dy * (_cdf(x) + x * density)


def _cdf(x: Any) -> Any:
    return (m.const(1, x) + m.erf(x * m.sqrt(m.const(0.5, x)))) * m.const(0.5, x)


@op(x="...", y="...", out=("y",))
def gelu_tanh(x: Any, y: Any) -> None:
    """y = x·(1 + tanh u)/2 with u = √(2/π)·(x + 0.044715·x³), close to x·Φ(x)."""
    y[...] = x * (m.const(1, x) + m.tanh(_inner(x))) * m.const(0.5, x)


@op(x="...", dy="...", dx="...", out=("dx",))
def gelu_tanh_backward(x: Any, dy: Any, dx: Any) -> None:
    """dx = dy·((1 + tanh u)/2 + x·(1 - tanh² u)/2·u'), with u' = √(2/π)·(1 + 3·0.044715·x²)."""
    one, half = m.const(1, x), m.const(0.5, x)
    t = m.tanh(_inner(x))
    slope = (one + x * x * m.const(3, x) * m.const(CUBE, x)) * _root(x)
    dx[...] = dy * half * (one + t + x * (one - t * t) * slope)


def _inner(x: Any) -> Any:
    return (x + x * x * x * m.const(CUBE, x)) * _root(x)


def _root(x: Any) -> Any:
    """√(2/π)."""
    return m.sqrt(m.const(2, x) / m.pi(x))
