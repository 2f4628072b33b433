"""Philox4x32-10: random numbers as a function of a counter and a key, with no state. The specification.

Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. A block of four 32-bit numbers is
the counter (four words) after ten rounds of mixing with the key (two words). Equal counters give equal numbers on
every machine and backend, and in any order, so what was drawn once can be drawn again instead of stored.
"""

from __future__ import annotations

from typing import Any

import numpy as np

M0, M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)  # multipliers
W0, W1 = 0x9E3779B9, 0xBB67AE85  # what the key grows by in every round: golden ratio and √3 - 1, times 2^32
ROUNDS = 10
LOW, HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


def philox(counter: tuple[Any, Any, Any, Any], key: tuple[int, int]) -> tuple[Any, Any, Any, Any]:
    """Four uint32 arrays of random words, from four arrays of counter words and two key words, all below 2^32."""
    c0, c1, c2, c3 = (np.asarray(word, np.uint64) for word in counter)
    k0, k1 = key
    for _ in range(ROUNDS):
        p0, p1 = M0 * c0, M1 * c2  # 32 bits times 32 bits are 64 bits
        c0, c1, c2, c3 = (
            (p1 >> HALF) ^ c1 ^ np.uint64(k0),
            p1 & LOW,
            (p0 >> HALF) ^ c3 ^ np.uint64(k1),
            p0 & LOW,
        )
        k0, k1 = (k0 + W0) & 0xFFFFFFFF, (k1 + W1) & 0xFFFFFFFF
    return c0.astype(np.uint32), c1.astype(np.uint32), c2.astype(np.uint32), c3.astype(np.uint32)


def random_words(size: int, number: int, key: tuple[int, int]) -> Any:
    """`size` uint32 numbers of the forward with that number.

    Element i is word i mod 4 of the block with counter (⌊i/4⌋ low, ⌊i/4⌋ high, number low, number high).
    """
    block = np.arange(-(-size // 4), dtype=np.uint64)
    number %= 2**64
    words = philox((block & LOW, block >> HALF, number & 0xFFFFFFFF, number >> 32), key)
    return np.stack(np.broadcast_arrays(*words), axis=1).reshape(-1)[:size]  # (blocks, 4) -> (size,)
