"""Random directions and cotangents: along what a function is probed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from scratchnet.core.types import Array

from .numbers import Numbers, convert


def alike_directions(arrays: Sequence[Array], rng: np.random.Generator, whole: bool) -> Iterator[list[Array]]:
    """Two directions through all arrays together in which equal elements move alike; none where all are different."""
    everything = np.concatenate([a.reshape(-1) for a in arrays])
    values, which = np.unique(everything, return_inverse=True)
    ends = np.cumsum([a.size for a in arrays])
    for _ in range(2 if values.size < everything.size else 0):
        moved = steps(rng, values.size, whole)[which.reshape(-1)]
        yield [part.reshape(a.shape) for part, a in zip(np.split(moved, ends[:-1]), arrays, strict=True)]


def steps(rng: np.random.Generator, count: int, whole: bool) -> Array:
    """Steps of either sign, none near zero; whole numbers for Python numbers."""
    size = rng.integers(1, 9, count) if whole else rng.uniform(0.5, 1.5, count)
    return np.asarray(rng.choice([-1, 1], count) * size)


def cotangent(shape: tuple[int, ...], numbers: Numbers, rng: np.random.Generator) -> Array:
    """Random, signed, non-uniform, never zero."""
    if numbers == "fractions":  # small ones
        return convert(np.asarray((rng.integers(-8, 8, shape) + 0.5) / 4), numbers)
    return convert(np.asarray(rng.normal(size=shape) + 0.1), numbers)
