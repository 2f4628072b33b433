"""Embedding: rows of a table, looked up by number."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ScratchnetError
from ..op import op


class IndexOutOfRangeError(ScratchnetError, IndexError):
    """An index names no row of the table. Negative indices do not count from the end."""


def out_of_range(x: Any, position: int, count: int) -> IndexOutOfRangeError:
    """The error for the index at a flat position of x."""
    at = ", ".join(str(int(i)) for i in np.unravel_index(position, x.shape))
    return IndexOutOfRangeError(
        "an index is out of range",
        where=f"x[{at}]",
        expected=f"0..{count - 1}",
        actual=int(x.reshape(-1)[position]),
    )


@op(x="...:int", W="V D", y="... D", out=("y",))
def embedding(x: Any, W: Any, y: Any, padding: int | None) -> None:
    """y[..., d] = W[x[...], d], and 0 where x is `padding`. Raises IndexOutOfRangeError unless 0 <= x < V."""
    _check(x, len(W))
    y[...] = W[x]  # (...), (V, D) -> (..., D)
    if padding is not None:
        y[x == padding] = 0


@op(x="...:int", dy="... D", dW="V D", adds=("dW",))
def embedding_backward(x: Any, dy: Any, dW: Any, padding: int | None) -> None:
    """Of y = W[x]: dW[v] += Σ dy over the positions where x = v; nothing for `padding`, where y = 0 whatever W is."""
    _check(x, len(dW))
    kept = np.ones(x.shape, bool) if padding is None else x != padding
    np.add.at(dW, x[kept], dy[kept])  # dW[x] += dy would count an index that occurs twice only once


def _check(x: Any, count: int) -> None:
    bad = (x < 0) | (x >= count)
    if bad.any():
        raise out_of_range(x, int(np.argmax(bad)), count)
