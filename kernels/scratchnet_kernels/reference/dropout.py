"""Dropout: zero a random part of the elements and scale up the rest. Srivastava et al. 2014, "inverted"."""

from __future__ import annotations

from typing import Any

from ..op import op
from . import _math as m
from ._philox import random_words


def limit(rate: float) -> int:
    """⌊rate·2^32⌋: an element is kept where its 32-bit number is not below this."""
    return int(rate * 2**32)  # exact: a power of two only moves the exponent


@op(x="...", count="1:i8", y="...", seen="1:i8", out=("y", "seen"))
def dropout(x: Any, count: Any, y: Any, seen: Any, key: tuple[int, int], rate: float) -> None:
    """y = x·keep / (1 - rate), with keep = 1 where u >= ⌊rate·2^32⌋, else 0.

    u is a 32-bit number of Philox4x32-10 (`_philox.random_words`), keyed by `key` and the forward number count[0];
    elements are numbered in C order. seen = count: from it and the key the backward draws the same u again. At rate 1
    all is dropped, and nothing is divided by. A dropped NaN or infinity becomes NaN, as in PyTorch.
    """
    seen[...] = count
    y[...] = _masked(x, count, key, rate)


@op(seen="1:i8", dy="...", dx="...", out=("dx",))
def dropout_backward(seen: Any, dy: Any, dx: Any, key: tuple[int, int], rate: float) -> None:
    """dx = dy·keep / (1 - rate)."""
    dx[...] = _masked(dy, seen, key, rate)


def _masked(x: Any, count: Any, key: tuple[int, int], rate: float) -> Any:
    kept = random_words(x.size, int(count[0]), key).reshape(x.shape) >= limit(rate)
    return x * m.where(kept, m.const(1, x), m.const(0, x)) / m.const(1 - rate if rate < 1 else 1, x)
