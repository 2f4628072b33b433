"""The two factors of a linear layer's gradient: how large what came in is, and how large the error is.

dW = Σ d xᵀ over the samples of a batch, and for a convolution over the samples and places, x being the patch under the
window. So ‖dW‖ ≤ √(Σ‖d‖²) · √(Σ‖x‖²), with equality for a single term.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scratchnet.core.types import Array
from scratchnet.layers import Conv1d, Conv2d, Dense

from ..probe import Backward, Forward
from .numbers import Ruler


class Factors(NamedTuple):
    """√(Σ‖x‖²) and √(Σ‖d‖²)."""

    input: float
    error: float


def factors(ruler: Ruler, call: Forward, back: Backward) -> Factors | None:
    """The factors of the layer's W, or None for a layer whose gradient is no such sum."""
    layer, x, y = call.layer, call.x, call.y
    if isinstance(layer, Dense):
        return Factors(ruler.norm(x), ruler.norm(back.dy))
    if isinstance(layer, Conv2d):
        sizes = [_both(size) for size in (layer.kernel, layer.stride, layer.dilation)]
        settings = [(*of_axis, pad[0]) for *of_axis, pad in zip(*sizes, layer.pads, strict=True)]
    elif isinstance(layer, Conv1d):
        settings = [(1, 1, 1, 0), (layer.kernel, layer.stride, layer.dilation, layer.pads[0])]
        x, y = x[:, :, None], y[:, :, None]  # (N, C, L) -> (N, C, 1, L)
    else:
        return None
    rows, columns = (_windows(x.shape[2 + axis], y.shape[2 + axis], *settings[axis]) for axis in (0, 1))
    squares = np.einsum("nchw,nchw->chw", x, x).sum(0, dtype=np.float64)  # (N, C, H, W) -> (H, W)
    total = float(rows @ squares @ columns)
    return Factors(float(np.sqrt(total)), ruler.norm(back.dy))


def _both(size: int | tuple[int, int]) -> tuple[int, int]:
    """(height, width) of a size written as one number or as two."""
    return size if isinstance(size, tuple) else (size, size)


def _windows(extent: int, places: int, kernel: int, stride: int, dilation: int, before: int) -> Array:
    """How many windows see each pixel along one axis."""
    at = np.arange(places)[:, None] * stride + np.arange(kernel) * dilation - before
    return np.bincount(at[(at >= 0) & (at < extent)], minlength=extent).astype(np.float64)
