"""Philox4x32-10 (reference/_philox.py is the specification), in 64-bit words, which multiply in vector code."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ..reference import _philox as reference
from ..reference._philox import HALF, LOW, M0, M1, ROUNDS

W0, W1 = np.uint64(reference.W0), np.uint64(reference.W1)


@njit(cache=True)
def philox(c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> Any:
    """Four random words of 32 bits, from four counter words and two key words; all are uint64 below 2^32."""
    for _ in range(ROUNDS):
        p0, p1 = M0 * c0, M1 * c2
        c0, c1, c2, c3 = (p1 >> HALF) ^ c1 ^ k0, p1 & LOW, (p0 >> HALF) ^ c3 ^ k1, p0 & LOW
        k0, k1 = (k0 + W0) & LOW, (k1 + W1) & LOW
    return c0, c1, c2, c3


@njit(cache=True)
def fill(drawn: Any, first: Any, count: Any, number0: Any, number1: Any, key0: Any, key1: Any) -> None:
    """The words of `count` blocks from block `first` on, two in an element of `drawn`, the first in its lower half.

    The words of several blocks are drawn side by side: LLVM makes vectors of this loop, one block a lane.
    """
    c2, c3, k0, k1 = number0 & LOW, number1 & LOW, key0 & LOW, key1 & LOW
    for j in range(count):
        block = np.uint64(first + j)
        w0, w1, w2, w3 = philox(block & LOW, block >> HALF, c2, c3, k0, k1)
        drawn[2 * j] = w0 | (w1 << HALF)
        drawn[2 * j + 1] = w2 | (w3 << HALF)
