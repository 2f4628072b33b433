"""Group normalisation: a row is one group of one sample, C/groups channels of P elements."""

from __future__ import annotations

from typing import Any

from ..backend import kernel
from ..reference import group_norm as reference
from ..workspace import Workspace
from ._moments import fast
from ._rows import backward, forward


@kernel("cpu")
def group_norm(
    x: Any, gamma: Any, beta: Any, y: Any, mean: Any, rstd: Any, groups: int, eps: float, *, workspace: Workspace
) -> None:
    """y[n, c] = gamma[c]·(x[n, c] - mean[n, g])·rstd[n, g] + beta[c]."""
    if not fast(x, mean, rstd):
        return reference.group_norm(x, gamma, beta, y, mean, rstd, groups, eps)
    forward(x, gamma, beta, y, mean, rstd, groups, x.shape[1] // groups, eps, workspace)


@kernel("cpu")
def group_norm_backward(
    x: Any, gamma: Any, mean: Any, rstd: Any, dy: Any, dgamma: Any, dbeta: Any, dx: Any, groups: int,
    *, workspace: Workspace,
) -> None:  # fmt: skip
    """dgamma += Σ dy·xhat, dbeta += Σ dy, dx = rstd·(t - Σ t / M - xhat·Σ(t·xhat) / M) with t = gamma·dy."""
    if not fast(x, mean, rstd):
        return reference.group_norm_backward(x, gamma, mean, rstd, dy, dgamma, dbeta, dx, groups)
    backward(x, gamma, mean, rstd, dy, dgamma, dbeta, dx, groups, x.shape[1] // groups, workspace)
