"""How parameters begin. An initialiser is a frozen dataclass; called with a generator and a shape it returns float64.

For a weight of shape (out, in, *window): fan_in = in·∏window, fan_out = out·∏window.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from .errors import ConfigError
from .types import Array, Shape

Fan = Literal["fan_in", "fan_out"]


class Initializer(Protocol):
    """Anything that fills a shape: (generator, shape) -> float64 array."""

    def __call__(self, rng: np.random.Generator, shape: Shape) -> Array: ...


def fans(shape: Shape) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight. Raises ConfigError below two axes."""
    if len(shape) < 2:
        raise ConfigError("fan_in and fan_out need a weight of two axes or more", actual=shape)
    window = math.prod(shape[2:])
    return shape[1] * window, shape[0] * window


def _variance(gain: float, fan: float) -> float:
    """gain² / fan, and 0 for a weight without inputs, which has nothing to draw."""
    return gain * gain / fan if fan else 0.0


def _check_fan(mode: str) -> None:
    if mode not in ("fan_in", "fan_out"):
        raise ConfigError("unknown mode of an initialiser", expected="fan_in | fan_out", actual=repr(mode))


@dataclass(frozen=True)
class HeNormal:
    """N(0, gain²/fan). With gain √2 it keeps the scale of signals through ReLU (He et al. 2015, eq. 10 and 14)."""

    mode: Fan = "fan_in"
    gain: float = math.sqrt(2.0)

    def __post_init__(self) -> None:
        _check_fan(self.mode)

    def __call__(self, rng: np.random.Generator, shape: Shape) -> Array:
        fan = fans(shape)[self.mode == "fan_out"]
        return rng.normal(0.0, math.sqrt(_variance(self.gain, fan)), shape)


@dataclass(frozen=True)
class HeUniform:
    """U(-a, a) with a = √3·gain/√fan: the variance of HeNormal."""

    mode: Fan = "fan_in"
    gain: float = math.sqrt(2.0)

    def __post_init__(self) -> None:
        _check_fan(self.mode)

    def __call__(self, rng: np.random.Generator, shape: Shape) -> Array:
        bound = math.sqrt(3.0 * _variance(self.gain, fans(shape)[self.mode == "fan_out"]))
        return rng.uniform(-bound, bound, shape)


@dataclass(frozen=True)
class GlorotNormal:
    """N(0, 2·gain²/(fan_in + fan_out)) (Glorot & Bengio 2010, eq. 12)."""

    gain: float = 1.0

    def __call__(self, rng: np.random.Generator, shape: Shape) -> Array:
        return rng.normal(0.0, math.sqrt(_variance(self.gain, sum(fans(shape)) / 2)), shape)


@dataclass(frozen=True)
class GlorotUniform:
    """U(-a, a) with a = gain·√(6/(fan_in + fan_out)) (Glorot & Bengio 2010, eq. 16)."""

    gain: float = 1.0

    def __call__(self, rng: np.random.Generator, shape: Shape) -> Array:
        bound = math.sqrt(3.0 * _variance(self.gain, sum(fans(shape)) / 2))
        return rng.uniform(-bound, bound, shape)


@dataclass(frozen=True)
class Orthogonal:
    """gain·Q with orthonormal rows or columns, whichever are fewer, of the weight as an (out, rest) matrix.

    Q is uniform over such matrices: the QR factor of a normal matrix with the signs of R's diagonal moved into Q
    (Saxe et al. 2014; Mezzadri 2007).
    """

    gain: float = 1.0

    def __call__(self, rng: np.random.Generator, shape: Shape) -> Array:
        fans(shape)  # refuses shapes below two axes
        rows, columns = shape[0], math.prod(shape[1:])
        q, r = np.linalg.qr(rng.normal(size=(max(rows, columns), min(rows, columns))))
        q *= np.where(np.diag(r) < 0, -1.0, 1.0)
        return np.asarray(self.gain * (q if rows >= columns else q.T).reshape(shape))


@dataclass(frozen=True)
class Normal:
    """N(mean, std²), whatever the shape."""

    std: float = 1.0
    mean: float = 0.0

    def __post_init__(self) -> None:
        if not self.std >= 0:
            raise ConfigError("a standard deviation is not negative", actual=self.std)

    def __call__(self, rng: np.random.Generator, shape: Shape) -> Array:
        return rng.normal(self.mean, self.std, shape)


@dataclass(frozen=True)
class Uniform:
    """U(-bound, bound), whatever the shape."""

    bound: float

    def __post_init__(self) -> None:
        if not self.bound >= 0:
            raise ConfigError("a bound is not negative", actual=self.bound)

    def __call__(self, rng: np.random.Generator, shape: Shape) -> Array:
        return rng.uniform(-self.bound, self.bound, shape)


@dataclass(frozen=True)
class Constant:
    """One value everywhere."""

    value: float

    def __call__(self, rng: np.random.Generator, shape: Shape) -> Array:
        return np.full(shape, float(self.value))


@dataclass(frozen=True)
class Zeros:
    """0 everywhere."""

    def __call__(self, rng: np.random.Generator, shape: Shape) -> Array:
        return np.zeros(shape)


@dataclass(frozen=True)
class Ones:
    """1 everywhere."""

    def __call__(self, rng: np.random.Generator, shape: Shape) -> Array:
        return np.ones(shape)
