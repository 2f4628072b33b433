"""The batch as it reached the first layer."""

from __future__ import annotations

import numpy as np

from scratchnet.core.types import Array, Leaves, structured
from scratchnet_kernels import OpTable

from ..records import InputLook
from .numbers import moments


def input_look(k: OpTable, x: Leaves) -> InputLook | None:
    """Range, moments, norm and constant features of x (N, ...); None for indices, and for a NamedTuple of arrays."""
    if structured(x) or x.dtype.kind != "f":
        return None
    rows = x.reshape(len(x), -1)  # (N, ...) -> (N, D)
    if rows.size == 0:
        return InputLook(features=rows.shape[1])
    found = moments(k, x)
    low, high = rows.min(0), rows.max(0)
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows, dtype=np.float64, casting="safe"))
    return InputLook(
        minimum=float(low.min()),
        maximum=float(high.max()),
        mean=found.mean,
        std=found.std,
        norm=float(lengths.mean()),
        constant=int(np.count_nonzero(low == high)),
        features=rows.shape[1],
        nonfinite=found.nonfinite,
    )


def constant_features(rows: Array) -> int:
    """How many columns of (N, D) hold one value only."""
    return int(np.count_nonzero(rows.min(0) == rows.max(0)))
