"""Dropout by Philox4x32-10: random numbers as a function of a counter and a key. Salmon et al., SC 2011."""

from __future__ import annotations

import numpy as np

from .array import Array


def random_words(size: int, number: int, key: tuple[int, int]) -> Array:
    """`size` random 32-bit numbers of the forward with that number: ten rounds of mixing counter and key."""
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    block = np.arange(-(-size // 4), dtype=np.uint64)
    c0, c1 = block & low, block >> half
    c2, c3 = np.full_like(block, number & 0xFFFFFFFF), np.full_like(block, number >> 32)
    k0, k1 = key
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
        c0, c1, c2, c3 = (p1 >> half) ^ c1 ^ np.uint64(k0), p1 & low, (p0 >> half) ^ c3 ^ np.uint64(k1), p0 & low
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], axis=1).reshape(-1)[:size]  # (blocks, 4) -> (size,)


def dropout(x: Array, count: int, key: tuple[int, int], rate: float) -> tuple[Array, int]:
    """y = x·keep / (1 - rate), with keep = 1 where a random number is not below rate, else 0; and count."""
    kept = random_words(x.size, count, key).reshape(x.shape) >= int(rate * 2**32)
    return x * kept.astype(x.dtype) / x.dtype.type(1 - rate if rate < 1 else 1), count


def dropout_backward(seen: int, dy: Array, key: tuple[int, int], rate: float) -> Array:
    """Of y = x·keep / (1 - rate): dx = dy·keep / (1 - rate), with the same numbers drawn again."""
    return dropout(dy, seen, key, rate)[0]
