"""Elementary functions without a branch or a call in them, so that LLVM turns a loop over them into vector code.

`math.exp` costs 2–4 ns an element, because it is a call per element; these cost a fraction of that. Each is written
once for float32 and once for float64 (more terms, other splitting constants), through `overload`. All are within a few
units in the last place; a NaN goes through every one of them.

`expm1` and `exp` take x <= 0 only. All who need more than that reduce to it, which is also what makes them stable:
nothing overflows, however large the argument.

    k = round(x / ln 2), r = x - k ln 2 in [-0.35, 0.35]:  eˣ - 1 = 2ᵏ (eʳ - 1) + (2ᵏ - 1),  eʳ - 1 by its Taylor series

k ln 2 is subtracted in two parts, the first with so few bits that k times it is exact (Cody and Waite 1980). Adding
1.5·2^23 (2^52) leaves k in the lowest bits of the sum: the rounding and the conversion in one step, and one that is
defined for NaN. Compile callers with CONTRACT at most: under `reassoc` that sum and difference would cancel.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

CONTRACT = {"contract"}
"""The one flag under which these functions are right: a·b + c may become one instruction."""

_SPLIT = {  # 1/ln 2, 1.5·2^p, ln 2 in two parts, the exponent's bias, the mantissa's bits, ln of the smallest normal
    types.float32: (1.44269504, 12582912.0, 0.693359375, -2.12194440e-4, 127, 23, -87.33),
    types.float64: (1.4426950408889634, 6755399441055744.0, 6.93145751953125e-1, 1.42860682030941723212e-6, 1023, 52,
                    -708.39),
}  # fmt: skip


def power_parts(x: Any) -> Any:
    """(2ᵏ, eʳ - 1) for x = k ln 2 + r <= 0; garbage below the ln of the smallest normal number."""
    raise NotImplementedError


@overload(power_parts)
def _power_parts(x: Any) -> Any:
    C = np.float32 if x == types.float32 else np.float64
    log2e, magic, high, low = map(C, _SPLIT[x][:4])
    bias, shift = _SPLIT[x][4:6]
    c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13 = (C(1 / math.factorial(n)) for n in range(2, 14))

    def single(x: Any) -> Any:
        t = x * log2e + magic
        k = t - magic
        r = (x - k * high) - k * low
        s = np.int32((np.float32(t).view(np.int32) + bias) << shift).view(np.float32)
        return s, r + r * r * (c2 + r * (c3 + r * (c4 + r * (c5 + r * (c6 + r * c7)))))

    def double(x: Any) -> Any:
        t = x * log2e + magic
        k = t - magic
        r = (x - k * high) - k * low
        s = np.int64((np.float64(t).view(np.int64) + bias) << shift).view(np.float64)
        head = c8 + r * (c9 + r * (c10 + r * (c11 + r * (c12 + r * c13))))
        return s, r + r * r * (c2 + r * (c3 + r * (c4 + r * (c5 + r * (c6 + r * (c7 + r * head))))))

    return single if x == types.float32 else double


def exp(x: Any) -> Any:
    """eˣ for x <= 0. What lies below the smallest normal number is 0."""
    raise NotImplementedError


@overload(exp)
def _exp(x: Any) -> Any:
    C = np.float32 if x == types.float32 else np.float64
    lowest, zero = C(_SPLIT[x][6]), C(0)

    def exp(x: Any) -> Any:
        s, q = power_parts(x)
        return zero if x < lowest else s * q + s

    return exp


def expm1(x: Any) -> Any:
    """eˣ - 1 for x <= 0, without the loss of digits near 0."""
    raise NotImplementedError


@overload(expm1)
def _expm1(x: Any) -> Any:
    C = np.float32 if x == types.float32 else np.float64
    lowest, one = C(_SPLIT[x][6]), C(1)

    def expm1(x: Any) -> Any:
        s, q = power_parts(x)
        return -one if x < lowest else s * q + (s - one)

    return expm1


def tanh(x: Any) -> Any:
    """tanh x = -m / (2 + m) with m = e^(-2x) - 1, for x >= 0, and odd."""
    raise NotImplementedError


@overload(tanh)
def _tanh(x: Any) -> Any:
    two = np.float32(2) if x == types.float32 else np.float64(2)

    def tanh(x: Any) -> Any:
        m = expm1(-two * abs(x))
        y = -m / (two + m)
        return -y if x < 0 else y

    return tanh


def sigmoid(x: Any) -> Any:
    """1 / (1 + e⁻ˣ), from e^-|x|."""
    raise NotImplementedError


@overload(sigmoid)
def _sigmoid(x: Any) -> Any:
    one = np.float32(1) if x == types.float32 else np.float64(1)

    def sigmoid(x: Any) -> Any:
        e = exp(-abs(x))
        return (one if x > 0 else e) / (one + e)

    return sigmoid


def log1p(x: Any) -> Any:
    """ln(1 + x) for 0 <= x <= 1: 2 artanh(s) with s = x / (2 + x) <= 1/3, by the series of artanh."""
    raise NotImplementedError


@overload(log1p)
def _log1p(x: Any) -> Any:
    C = np.float32 if x == types.float32 else np.float64
    c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15 = (C(2 / (2 * n + 1)) for n in range(16))

    def single(x: Any) -> Any:
        s = x / (c0 + x)
        q = s * s
        return s * (c0 + q * (c1 + q * (c2 + q * (c3 + q * (c4 + q * (c5 + q * c6))))))

    def double(x: Any) -> Any:
        s = x / (c0 + x)
        q = s * s
        tail = c10 + q * (c11 + q * (c12 + q * (c13 + q * (c14 + q * c15))))
        head = c5 + q * (c6 + q * (c7 + q * (c8 + q * (c9 + q * tail))))
        return s * (c0 + q * (c1 + q * (c2 + q * (c3 + q * (c4 + q * head)))))

    return single if x == types.float32 else double


def normal_cdf(x: Any) -> Any:
    """Φ(x) = (1 + erf(x/√2)) / 2, the share of a standard normal below x."""
    raise NotImplementedError


# erfc(z) = e^(-z²) t P(t) with t = 1/(1 + z/2), for z >= 0: P fitted at Chebyshev nodes, relative error below 2e-7.
_ERFC = (0.282094857, 0.282090435, 0.246948216, 0.174714409, 0.0966905159, -0.0697881205, 0.154069487, -0.483699585,
         0.516846262, -0.245183409, 0.0452169406)  # fmt: skip


@overload(normal_cdf)
def _normal_cdf(x: Any) -> Any:
    C = np.float32 if x == types.float32 else np.float64
    half, one, root_half = C(0.5), C(1), C(math.sqrt(0.5))
    c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10 = map(C, _ERFC)

    def single(x: Any) -> Any:
        z = abs(x) * root_half
        t = one / (one + half * z)
        head = c5 + t * (c6 + t * (c7 + t * (c8 + t * (c9 + t * c10))))
        tail = half * exp(-z * z) * t * (c0 + t * (c1 + t * (c2 + t * (c3 + t * (c4 + t * head)))))
        return one - tail if x > 0 else tail

    def double(x: Any) -> Any:  # float64 is there to check with: a call per element will do
        return half * math.erfc(-x * root_half)

    return single if x == types.float32 else double
