"""The batch as it reached the first layer."""

from __future__ import annotations

import numpy as np

from scratchnet.core.types import Array, Leaves, structured

from ...history.records import InputLook
from .numbers import Ruler


def input_look(ruler: Ruler, x: Leaves) -> InputLook | None:
    """Range, moments, norm and constant features of x (N, ...); None for indices, and for a NamedTuple of arrays."""
    if structured(x) or x.dtype.kind != "f":
        return None
    rows = x.reshape(len(x), -1)  # (N, ...) -> (N, D)
    if rows.size == 0:
        return InputLook(features=rows.shape[1])
    mean, std, wrong = ruler.moments(x)
    low, high = np.minimum.reduce(rows, 0), np.maximum.reduce(rows, 0)
    return InputLook(
        minimum=float(low.min()),
        maximum=float(high.max()),
        mean=mean,
        std=std,
        norm=float(lengths(rows).mean()),
        constant=int(np.count_nonzero(low == high)),
        features=rows.shape[1],
        nonfinite=wrong,
    )


def lengths(rows: Array) -> Array:
    """The norm of each row of (N, D)."""
    squares: Array = np.einsum("nd,nd->n", rows, rows)
    if not np.isfinite(squares).all():  # too large for float32, perhaps
        squares = np.einsum("nd,nd->n", rows, rows, dtype=np.float64, casting="safe")
    return np.asarray(np.sqrt(squares))
