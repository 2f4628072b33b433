"""Layer normalisation: rows of D channels of one element each."""

from __future__ import annotations

import math
from typing import Any

from ..backend import kernel
from ..reference import layer_norm as reference
from ..workspace import Workspace
from ._moments import fast
from ._rows import backward, forward


@kernel("cpu")
def layer_norm(
    x: Any, gamma: Any, beta: Any, y: Any, mean: Any, rstd: Any, axes: int, eps: float, *, workspace: Workspace
) -> None:
    """y[r, d] = gamma[d]·(x[r, d] - mean[r])·rstd[r] + beta[d]."""
    if not fast(x, mean, rstd):
        return reference.layer_norm(x, gamma, beta, y, mean, rstd, axes, eps)
    forward(x, gamma, beta, y, mean, rstd, 1, math.prod(x.shape[x.ndim - axes :]), eps, workspace)


@kernel("cpu")
def layer_norm_backward(
    x: Any, gamma: Any, mean: Any, rstd: Any, dy: Any, dgamma: Any, dbeta: Any, dx: Any, axes: int,
    *, workspace: Workspace,
) -> None:  # fmt: skip
    """dgamma += Σᵣ dy·xhat, dbeta += Σᵣ dy, dx = rstd·(t - Σ_d t / D - xhat·Σ_d(t·xhat) / D) with t = gamma·dy."""
    if not fast(x, mean, rstd):
        return reference.layer_norm_backward(x, gamma, mean, rstd, dy, dgamma, dbeta, dx, axes)
    channels = math.prod(x.shape[x.ndim - axes :])
    backward(x, gamma, mean, rstd, dy, dgamma, dbeta, dx, 1, channels, workspace)
