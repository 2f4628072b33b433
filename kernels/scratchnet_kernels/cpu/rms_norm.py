"""RMS normalisation: rows of D channels of one element each, without centring."""

from __future__ import annotations

from typing import Any

from ..backend import kernel
from ..reference import rms_norm as reference
from ..workspace import Workspace
from ._moments import fast
from ._rows import backward, forward


@kernel("cpu")
def rms_norm(x: Any, gamma: Any, y: Any, rrms: Any, eps: float, *, workspace: Workspace) -> None:
    """y = gamma·x·rrms with rrms = 1/√(Σ_d x² / D + eps)."""
    if not fast(x, rrms, rrms):
        return reference.rms_norm(x, gamma, y, rrms, eps)
    forward(x, gamma, None, y, None, rrms, 1, x.shape[-1], eps, workspace)


@kernel("cpu")
def rms_norm_backward(x: Any, gamma: Any, rrms: Any, dy: Any, dgamma: Any, dx: Any, *, workspace: Workspace) -> None:
    """dgamma += Σ dy·xhat, dx = rrms·(t - xhat·Σ_d(t·xhat) / D) with t = gamma·dy."""
    if not fast(x, rrms, rrms):
        return reference.rms_norm_backward(x, gamma, rrms, dy, dgamma, dx)
    backward(x, gamma, None, rrms, dy, dgamma, None, dx, 1, x.shape[-1], workspace)
