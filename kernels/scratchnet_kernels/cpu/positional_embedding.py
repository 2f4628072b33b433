"""Positional embedding: NumPy adds at the speed of memory, without a temporary."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import kernel
from ..reference import positional_embedding as reference
from ..workspace import Workspace
from ._flat import is_fast


@kernel("cpu")
def positional_embedding(x: Any, P: Any, y: Any) -> None:
    """y[n, t, d] = x[n, t, d] + P[t, d]."""
    np.add(x, P, out=y)


@kernel("cpu")
def positional_embedding_backward(dy: Any, dP: Any, *, workspace: Workspace) -> None:
    """dP += Σₙ dy, summed apart so that a large dP costs the sum no digits."""
    if not is_fast(dy):
        return reference.positional_embedding_backward(dy, dP)
    s = workspace.take(dP.shape, dP.dtype)
    np.add.reduce(dy, axis=0, out=s)  # (N, T, D) -> (T, D)
    np.add(dP, s, out=dP)
