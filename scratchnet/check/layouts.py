"""Memory layouts of an array, and regimes of values: what a kernel meets sooner or later."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.core.types import Array, Shape

LAYOUTS = ("C", "F", "strided", "reversed", "offset", "broadcast")
"""Memory layouts, the plainest first."""

VALUES = ("normal", "positive", "ties", "zeros", "constant", "large", "tiny")
"""Regimes of values, the plainest first. Those that a Case has too mean the same there."""


def lay_out(x: Array, layout: str, axis: int | None = None) -> Array:
    """x in a memory layout. The values stay, but for "broadcast", where the first along the axis stand for all.

    The axis is that of the gaps, the negative stride, or the stride of 0; if None, the last for "strided", else axis 0.
    """
    if axis is None:
        axis = max(0, x.ndim - 1) if layout == "strided" else 0
    if layout == "F":
        return np.asfortranarray(x)
    if layout == "offset":
        memory = np.full(x.size + 1, _filler(x), x.dtype)
        memory[1:] = x.reshape(-1)
        return memory[1:].reshape(x.shape)
    if layout == "C" or x.ndim == 0 or x.size == 0:
        return np.ascontiguousarray(x).reshape(x.shape)  # which makes one axis of none
    if layout == "broadcast":
        return np.broadcast_to(x.take([0], axis), x.shape)
    if layout == "reversed":
        return np.flip(np.ascontiguousarray(np.flip(x, axis)), axis)
    wide = np.full([2 * n + 1 if a == axis else n for a, n in enumerate(x.shape)], _filler(x), x.dtype)
    every_second = tuple(slice(1, None, 2) if a == axis else slice(None) for a in range(x.ndim))
    wide[every_second] = x
    return wide[every_second]


def fill(rng: np.random.Generator, shape: Shape, dtype: Any, values: str) -> Array:
    """An array of a regime of values; of a complex element type, the imaginary part is drawn alike."""
    kind = np.dtype(dtype)
    if kind.kind == "c":
        part = np.zeros(0, kind).real.dtype
        return (fill(rng, shape, part, values) + 1j * fill(rng, shape, part, values)).astype(kind)
    if values == "ties":
        return rng.integers(-2, 3, shape).astype(kind)
    if values == "zeros":
        return np.copysign(np.zeros(shape), rng.normal(size=shape)).astype(kind)
    if values == "constant":
        return np.full(shape, rng.normal()).astype(kind)
    if values == "tiny":  # whole multiples of the least number above 0, up to where the normal ones begin
        least, most = float(np.finfo(kind).smallest_subnormal), 2 ** np.finfo(kind).nmant
        return (rng.integers(-most, most, shape) * least).astype(kind)
    x = rng.normal(size=shape)
    return {"normal": x, "positive": np.abs(x) + 0.1, "large": 100.0 * x}[values].astype(kind)


def _filler(x: Array) -> Any:
    """What lies between and before the elements, for a kernel that reads past them to betray itself."""
    if x.dtype.kind in "iu":
        return np.iinfo(x.dtype).max
    return np.nan if x.dtype.kind in "fc" else x.dtype.type()
