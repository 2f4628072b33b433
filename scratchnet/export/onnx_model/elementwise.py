"""Ops that take each number by itself, sums and softmax, in ONNX's operators."""

from __future__ import annotations

import math

import numpy as np

from .writer import Writer


def copy(w: Writer, x: str) -> str:
    """y = x."""
    return x


def add(w: Writer, a: str, b: str) -> str:
    """y = a + b."""
    return w("Add", a, b)


def concat(w: Writer, axis: int, **parts: str) -> str:
    """The parts side by side."""
    return w("Concat", *parts.values(), axis=axis)


def relu(w: Writer, x: str) -> str:
    """y = max(x, 0)."""
    return w("Relu", x)


def leaky_relu(w: Writer, x: str, slope: float) -> str:
    """y = x where x > 0, else slope·x."""
    return w("LeakyRelu", x, alpha=slope)


def elu(w: Writer, x: str, alpha: float) -> str:
    """y = x where x > 0, else α(eˣ - 1)."""
    return w("Elu", x, alpha=alpha)


def sigmoid(w: Writer, x: str) -> str:
    """y = 1/(1 + e⁻ˣ)."""
    return w("Sigmoid", x)


def silu(w: Writer, x: str) -> str:
    """y = x·σ(x)."""
    return w("Mul", x, w("Sigmoid", x))


def tanh(w: Writer, x: str) -> str:
    """y = tanh x."""
    return w("Tanh", x)


def square(w: Writer, x: str) -> str:
    """y = x²."""
    return w("Mul", x, x)


def softplus(w: Writer, x: str, beta: float, threshold: float) -> str:
    """y = ln(1 + e^(βx)) / β, and x where βx > threshold."""
    t = x if beta == 1 else w("Mul", x, w.number(beta))
    y = w("Softplus", t)
    y = y if beta == 1 else w("Div", y, w.number(beta))
    return w("Where", w("Greater", t, w.number(threshold)), x, y)


def gelu(w: Writer, x: str) -> str:
    """y = x·(1 + erf(x/√2))/2. ONNX has Gelu since opset 20."""
    return _half_of(w, x, w("Erf", w("Mul", x, w.number(math.sqrt(0.5)))))


def gelu_tanh(w: Writer, x: str) -> str:
    """y = x·(1 + tanh u)/2 with u = √(2/π)·(x + 0.044715·x³)."""
    cube = w("Mul", w("Mul", w("Mul", x, x), x), w.number(0.044715))
    return _half_of(w, x, w("Tanh", w("Mul", w("Add", x, cube), w.number(math.sqrt(2 / math.pi)))))


def _half_of(w: Writer, x: str, part: str) -> str:
    """x·(1 + part)/2."""
    return w("Mul", w("Mul", x, w("Add", part, w.number(1))), w.number(0.5))


def softmax(w: Writer, x: str) -> str:
    """y = e^x / Σ e^x over axis 1 of (A, C, B)."""
    return w("Softmax", x, axis=1)


def log_softmax(w: Writer, x: str) -> str:
    """y = x - ln Σ e^x over axis 1 of (A, C, B)."""
    return w("LogSoftmax", x, axis=1)


def embedding(w: Writer, x: str, W: str, padding: int | None) -> str:
    """y = W[x], and 0 where x is `padding`."""
    y = w("Gather", W, x, axis=0)
    if padding is None:
        return y
    nothing = w("Unsqueeze", w("Equal", x, w.constant(padding)), w.constant([-1]))
    return w("Where", nothing, w.number(0), y)


def positional_embedding(w: Writer, x: str, P: str) -> str:
    """y[n, t, d] = x[n, t, d] + P[t, d]."""
    return w("Add", x, P)


def attention(w: Writer, q: str, k: str, v: str, mask: None, causal: bool) -> str:
    """y = softmax(q kᵀ/√d) v; if causal, a query sees the keys up to its own place."""
    T, d = w.node.given["q"].shape[2:]
    scores = w("MatMul", q, w("Transpose", k, perm=[0, 1, 3, 2]))
    scores = w("Mul", scores, w.number(1 / math.sqrt(d)))
    if causal:
        S = w.node.given["k"].shape[2]
        scores = w("Where", w.constant(np.tri(T, S, dtype=bool), bool), scores, w.number(-math.inf))
    return w("MatMul", w("Softmax", scores, axis=-1), v)
