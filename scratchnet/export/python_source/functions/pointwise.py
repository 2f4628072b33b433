"""Nonlinearities, element by element."""

from __future__ import annotations

import numpy as np

from .array import Array


def relu(x: Array) -> Array:
    """y = max(x, 0)."""
    return np.maximum(x, 0)


def relu_backward(y: Array, dy: Array) -> Array:
    """Of y = max(x, 0): dx = dy where y > 0, else 0."""
    return np.where(y > 0, dy, 0)


def leaky_relu(x: Array, slope: float) -> Array:
    """y = x where x > 0, else slope·x."""
    return np.where(x > 0, x, x * slope)


def leaky_relu_backward(x: Array, dy: Array, slope: float) -> Array:
    """Of y = x where x > 0, else slope·x: dx = dy, else slope·dy."""
    return np.where(x > 0, dy, dy * slope)


def elu(x: Array, alpha: float) -> Array:
    """y = x where x > 0, else α(eˣ - 1)."""
    return np.where(x > 0, x, np.expm1(np.where(x > 0, 0, x)) * alpha)  # so that no large x goes through exp


def elu_backward(x: Array, dy: Array, alpha: float) -> Array:
    """Of y = x where x > 0, else α(eˣ - 1): dx = dy, else dy·α·eˣ."""
    return np.where(x > 0, dy, dy * np.exp(np.where(x > 0, 0, x)) * alpha)


def sigmoid(x: Array) -> Array:
    """y = 1 / (1 + e⁻ˣ), from e^-|x|, which cannot overflow."""
    e = np.exp(np.where(x > 0, -x, x))
    return np.where(x > 0, 1, e) / (1 + e)


def sigmoid_backward(y: Array, dy: Array) -> Array:
    """Of y = 1 / (1 + e⁻ˣ): dx = dy·y(1 - y)."""
    return dy * y * (1 - y)


def tanh(x: Array) -> Array:
    """y = tanh x."""
    return np.tanh(x)


def tanh_backward(y: Array, dy: Array) -> Array:
    """Of y = tanh x: dx = dy·(1 - y²)."""
    return dy * (1 - y * y)


def silu(x: Array) -> Array:
    """y = x·σ(x) with σ(x) = 1 / (1 + e⁻ˣ)."""
    return x * sigmoid(x)


def silu_backward(x: Array, dy: Array) -> Array:
    """Of y = x·σ(x): dx = dy·σ(1 + x(1 - σ))."""
    s = sigmoid(x)
    return dy * s * (1 + x * (1 - s))


def softplus(x: Array, beta: float, threshold: float) -> Array:
    """y = ln(1 + e^(βx)) / β, and x where βx > threshold."""
    t = x * beta
    smooth = np.maximum(t, 0) + np.log1p(np.exp(np.where(t > 0, -t, t)))
    return np.where(t - threshold > 0, x, smooth / beta)


def softplus_backward(x: Array, dy: Array, beta: float, threshold: float) -> Array:
    """Of y = ln(1 + e^(βx)) / β: dx = dy·σ(βx), and dy where βx > threshold."""
    t = x * beta
    return np.where(t - threshold > 0, dy, dy * sigmoid(t))


def square(x: Array) -> Array:
    """y = x²."""
    return x * x


def square_backward(x: Array, dy: Array) -> Array:
    """Of y = x²: dx = 2x·dy."""
    return 2 * x * dy
