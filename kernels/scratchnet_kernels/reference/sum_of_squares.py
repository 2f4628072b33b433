"""The sum of squares, which norms of gradients are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import op


@op(a="...", total=":f8", out=("total",), dtypes=("float",))
def sum_of_squares(a: Any, total: Any, scale: float) -> None:
    """total = Σ (scale·a)², in float64 whatever the type of a: squares of float32 cannot overflow there.

    `scale`, a power of two, keeps the squares of very large or very small float64 numbers representable.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # an infinite sum is the caller's to judge
        scaled = scale * a.astype(np.float64)
        total[...] = (scaled * scaled).sum()
