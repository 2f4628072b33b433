"""Cases in which other checks are blind: many elements, cotangents of 0 and 1, sums of what always sums up to one."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.core.types import Array

from .species import Species, bug


def double_forward(x: Array) -> tuple[Array, Any]:
    """out = 2x."""
    return 2 * x, None


def double_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array]:
    """dx = 2·dout."""
    return (2 * dout * abs(dout) if wrong == "2·g·|g|" else 2 * dout,)


def square_forward(x: Array) -> tuple[Array, Any]:
    """out = x²."""
    return x**2, x


def square_backward(dout: Array, x: Any, wrong: str = "") -> tuple[Array]:
    """dx = 2·x·dout."""
    dx = 2 * x * dout
    if wrong == "reversed":
        return (dx[::-1].copy(),)
    if wrong == "zero":
        return (np.zeros_like(x),)
    if wrong == "one block zero":
        dx[len(x) // 2 : len(x) // 2 + len(x) // 50] = 0
    elif wrong == "neighbours swapped":
        dx = dx.reshape(-1, 2)[:, ::-1].reshape(x.shape).copy()
    return (dx,)


def softmax_forward(x: Array) -> tuple[Array, Any]:
    """The softmax of each row."""
    e = np.exp(x - x.max(1, keepdims=True))
    q = e / e.sum(1, keepdims=True)
    return q, q


def softmax_backward(dout: Array, q: Any, wrong: str = "") -> tuple[Array]:
    """dx = q·(dout − Σ dout·q)."""
    return (np.zeros_like(q) if wrong == "zero" else q * (dout - (dout * q).sum(1, keepdims=True)),)


def standardise_forward(x: Array) -> tuple[Array, Any]:
    """(x − mean)/std over axis 0."""
    istd = 1 / np.sqrt(x.var(0) + 1e-5)
    return (x - x.mean(0)) * istd, ((x - x.mean(0)) * istd, istd)


def standardise_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array]:
    """dx = (dout − mean(dout) − xhat·mean(dout·xhat))·istd."""
    xhat, istd = cache
    if wrong == "zero":
        return (np.zeros_like(xhat),)
    return ((dout - dout.mean(0) - xhat * (dout * xhat).mean(0)) * istd,)


def _x(*shape: int) -> Any:
    return lambda rng: {"x": rng.normal(size=shape)}


_q = square_backward
SPECIES = (
    Species(
        "double", double_forward, double_backward, _x(4, 5),
        (bug(double_backward, "2·g·|g|", "x", "cotangent twice, not linear", "the same for a dout of zeros and ones",
             "found by trying: one-hot cotangents cannot tell g·|g| from g"),),
    ),
    Species(
        "square, 1,000 elements", square_forward, square_backward, _x(1000),
        (
            bug(_q, "reversed", "x", "flip", "the gradient runs backwards"),
            bug(_q, "neighbours swapped", "x", "rows mixed, transpose", "each pair of neighbours is exchanged"),
            bug(_q, "one block zero", "x", "mask, border", "2 % of the entries are lost"),
        ),
    ),
    Species(
        "square, 10,000 elements", square_forward, square_backward, _x(10_000),
        (bug(_q, "reversed", "x", "flip", "the gradient runs backwards",
             "pytorch/pytorch issue #57166 (fast mode passes what slow mode rejects, on a sort)"),),
    ),
    Species(
        "square, 300,000 elements", square_forward, square_backward, _x(300_000),
        (bug(_q, "zero", "x", "gradient missing", "a backward of zeros",
             "pytorch/pytorch pull request #59615 (fast mode did not flag a completely wrong gradient)"),),
    ),
    Species(
        "softmax, whose sum is 1", softmax_forward, softmax_backward, _x(5, 7),
        (bug(softmax_backward, "zero", "x", "gradient missing", "right under a cotangent of ones",
             "HomericIntelligence/Mnemosyne pull request #310 (the sum of a normalisation tests nothing)"),),
    ),
    Species(
        "standardise, whose sum is 0", standardise_forward, standardise_backward, _x(6, 4),
        (bug(standardise_backward, "zero", "x", "gradient missing", "right under a cotangent of ones",
             "HomericIntelligence/Mnemosyne pull request #310 (the sum of a normalisation tests nothing)"),),
    ),
)  # fmt: skip
