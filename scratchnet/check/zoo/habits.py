"""Habits that spoil any backward: clipping, rounding, state, caches that are changed, cotangents that are not."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.core.types import Array

from .species import Species, bug

_LEFT: dict[str, Any] = {"seen": 0.0}


def square_forward(x: Array) -> tuple[Array, Any]:
    """out = x²."""
    return x**2, {"x": x, "slope": 2 * x}


def square_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array]:
    """dx = 2·x·dout."""
    dx = dout * cache["slope"]
    if wrong == "clipped":
        return (np.clip(dx, -1, 1),)
    if wrong == "normalised":
        return (dx / (1e-9 + np.sqrt((dx**2).sum())),)
    if wrong == "sign of dout":
        return (np.sign(dout) * cache["slope"],)
    if wrong == "dout squared":
        return (dout * dx,)
    if wrong == "dout dropped":
        return (cache["slope"].copy(),)
    if wrong == "cache scaled in place":
        cache["slope"] *= 0.5
    elif wrong == "cache used up":
        cache["slope"] = np.zeros_like(dout)
    elif wrong == "cache returned":
        cache["slope"] *= dout
        return (cache["slope"],)
    elif wrong == "input changed":
        cache["x"] *= 0
    elif wrong == "piles up":
        _LEFT["seen"] += 1e-3
        dx = dx * (1 + _LEFT["seen"])
    elif wrong == "infinite where zero":
        dx = dx + np.where(cache["x"] == 0, np.inf, 0.0)
    elif wrong == "rounded":
        dx = np.round(dx, 3)
    elif wrong == "a thousandth too large":
        dx = 1.001 * dx
    elif wrong == "one entry":
        dx[-1, -1] *= 1.01
    return (dx,)


def _with_zero(rng: np.random.Generator) -> dict[str, Any]:
    x = rng.normal(size=(4, 5))
    x[1, 2] = 0
    return {"x": x}


_q = square_backward
SPECIES = (
    Species(
        "square", square_forward, square_backward, _with_zero,
        (
            bug(_q, "clipped", "x", "not linear", "gradient clipping inside the backward"),
            bug(_q, "normalised", "x", "not linear, constant factor", "divided by its own norm"),
            bug(_q, "sign of dout", "x", "not linear", "sign(dout) for dout"),
            bug(_q, "dout squared", "x", "cotangent twice", "dout is applied twice"),
            bug(_q, "dout dropped", "x", "cotangent ignored", "2x, not 2x·dout"),
            bug(_q, "cache scaled in place", "x", "mutation, state left over",
                "right once, half of it the second time"),
            bug(_q, "cache used up", "x", "mutation, state left over", "right once, zero the second time"),
            bug(_q, "cache returned", "x", "aliasing, mutation, state left over", "dx is the cache's own array",
                "pytorch/pytorch issue #81417 (arrays changed during backward)"),
            bug(_q, "input changed", "x", "mutation", "x is zeroed to free memory"),
            bug(_q, "piles up", "x", "state left over", "what an earlier call left is added",
                "karpathy/micrograd issue #53 (backward is not idempotent)"),
            bug(_q, "infinite where zero", "x", "not finite", "1/x in a derivative that has none"),
            bug(_q, "rounded", "x", "not linear", "kept to three decimals, as a detour through half precision does"),
            bug(_q, "a thousandth too large", "x", "constant factor", "a small error in a constant"),
            bug(_q, "one entry", "x", "border", "one entry is 1 % too large"),
        ),
    ),
)  # fmt: skip
