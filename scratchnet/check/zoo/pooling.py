"""Pooling: ties, overlapping windows, padding that wins, divisors at the border."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from scratchnet.core.types import Array

from .species import Species, bug, right


def maxpool_forward(x: Array, size: int, stride: int, pad: int) -> tuple[Array, Any]:
    """The largest of each window; the border is −∞ and never wins. (N, C, H, W) -> (N, C, OH, OW)"""
    padded = _padded(x, pad, -np.inf)
    OH, OW = ((n - size) // stride + 1 for n in padded.shape[2:])
    out = np.empty((*x.shape[:2], OH, OW), x.dtype)
    for i, j, rows, columns in _windows((OH, OW), size, stride):
        out[:, :, i, j] = padded[:, :, rows, columns].max((2, 3))
    return out, (x, size, stride, pad)


def maxpool_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array]:
    """Each window's dout goes to its first largest element."""
    x, size, stride, pad = cache
    padded = _padded(x, pad, 0.0 if wrong == "padding wins" else -np.inf)
    dpadded = np.zeros(padded.shape)
    for i, j, rows, columns in _windows(dout.shape[2:], size, stride):
        window, d = padded[:, :, rows, columns], dout[:, :, i, j, None, None]
        flat = window.reshape(*x.shape[:2], -1)  # (N, C, k, k) -> (N, C, k·k)
        largest = window == window.max((2, 3), keepdims=True)
        chosen = (np.arange(size * size) == flat.argmax(2)[..., None]).reshape(window.shape)
        if wrong == "all ties":
            chosen = largest
        elif wrong == "ties share":
            chosen = largest / largest.sum((2, 3), keepdims=True)
        elif wrong == "last of ties":
            chosen = np.arange(size * size) == size * size - 1 - flat[..., ::-1].argmax(2)[..., None]
            chosen = chosen.reshape(window.shape)
        elif wrong == "smallest":
            chosen = window == window.min((2, 3), keepdims=True)
        elif wrong == "row for column":
            chosen = chosen.swapaxes(2, 3)
        elif wrong == "every element":
            chosen = np.ones_like(window)
        elif wrong == "corner of the window":
            chosen = np.arange(size * size).reshape(size, size) == 0
        if wrong == "overlaps overwritten":
            dpadded[:, :, rows, columns] = d * chosen
        elif wrong == "winner overwritten":
            dpadded[:, :, rows, columns] = np.where(chosen, d, dpadded[:, :, rows, columns])
        else:
            dpadded[:, :, rows, columns] += d * chosen
    return (dpadded[:, :, pad : pad + x.shape[2], pad : pad + x.shape[3]],)


def avgpool_forward(x: Array, size: int, stride: int, pad: int) -> tuple[Array, Any]:
    """The mean of each window's elements, the border not counted. (N, C, H, W) -> (N, C, OH, OW)"""
    padded, inside = _padded(x, pad, 0.0), _padded(np.ones(x.shape[2:])[None, None], pad, 0.0)
    OH, OW = ((n - size) // stride + 1 for n in padded.shape[2:])
    out = np.empty((*x.shape[:2], OH, OW), x.dtype)
    for i, j, rows, columns in _windows((OH, OW), size, stride):
        out[:, :, i, j] = padded[:, :, rows, columns].sum((2, 3)) / inside[:, :, rows, columns].sum()
    return out, (x, inside, size, stride, pad)


def avgpool_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array]:
    """Each element of a window gets dout over the number that was divided by."""
    x, inside, size, stride, pad = cache
    dpadded = np.zeros(_padded(x, pad, 0.0).shape)
    for i, j, rows, columns in _windows(dout.shape[2:], size, stride):
        count = inside[:, :, rows, columns].sum()
        if wrong == "whole window at the border":
            count = size * size
        elif wrong == "not divided":
            count = 1
        elif wrong == "side for area":
            count = size
        if wrong == "overlaps overwritten":
            dpadded[:, :, rows, columns] = dout[:, :, i, j, None, None] / count
        elif wrong == "first element only":
            dpadded[:, :, rows.start, columns.start] += dout[:, :, i, j]
        else:
            dpadded[:, :, rows, columns] += dout[:, :, i, j, None, None] / count
    return (dpadded[:, :, pad : pad + x.shape[2], pad : pad + x.shape[3]],)


def upsample_forward(x: Array, times: int) -> tuple[Array, Any]:
    """Each pixel `times` by `times`. (N, C, H, W) -> (N, C, times·H, times·W)"""
    return x.repeat(times, 2).repeat(times, 3), times


def upsample_backward(dout: Array, times: Any, wrong: str = "") -> tuple[Array]:
    """Each pixel gets the sum over its copies."""
    if wrong == "one copy":
        return (dout[:, :, ::times, ::times].copy(),)
    N, C, H, W = dout.shape
    copies = dout.reshape(N, C, H // times, times, W // times, times)  # (N, C, tH, tW) -> (N, C, H, t, W, t)
    return (copies.mean((3, 5)) if wrong == "mean of copies" else copies.sum((3, 5)),)


def _padded(x: Array, pad: int, value: float) -> Array:
    return np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), constant_values=value)


def _windows(shape: Any, size: int, stride: int) -> Iterator[tuple[int, int, slice, slice]]:
    for i in range(shape[0]):
        for j in range(shape[1]):
            yield i, j, slice(i * stride, i * stride + size), slice(j * stride, j * stride + size)


def _inputs(*shape: int, **settings: int) -> Any:
    return lambda rng: {"x": rng.normal(size=shape)} | settings


def _ties(rng: np.random.Generator) -> dict[str, Any]:
    return {"x": rng.integers(0, 3, (2, 3, 4, 6)).astype(float), "size": 2, "stride": 2, "pad": 0}


_m, _a = maxpool_backward, avgpool_backward
SPECIES = (
    Species(
        "max pool", maxpool_forward, maxpool_backward, _inputs(2, 3, 4, 6, size=2, stride=2, pad=0),
        (
            bug(_m, "smallest", "x", "mask", "argmin for argmax"),
            bug(_m, "row for column", "x", "mask, transpose, window", "the flat argmax is read column by column"),
            bug(_m, "every element", "x", "mask, window", "all of the window gets dout"),
            bug(_m, "corner of the window", "x", "mask, window", "dout goes to the window's first element"),
        ),
    ),
    Species(
        "max pool, at ties", maxpool_forward, maxpool_backward, _ties,
        (
            bug(_m, "all ties", "x", "mask, window", "every largest element gets the whole of dout",
                "Theano/Theano issue #5248; mni-ml/framework pull request #22"),
        ),
        (
            right(_m, "last of ties", "any one of the largest elements may take dout"),
            right(_m, "ties share", "dout is shared evenly: a convex combination of subgradients"),
        ),
    ),
    Species(
        "max pool, overlapping, padded", maxpool_forward, maxpool_backward,
        lambda rng: {"x": rng.normal(size=(2, 3, 7, 5)) - 1, "size": 3, "stride": 2, "pad": 1},
        (
            bug(_m, "overlaps overwritten", "x", "window", "a window overwrites what its neighbours gave"),
            bug(_m, "winner overwritten", "x", "window, not added", "an element that wins twice is paid once"),
            bug(_m, "padding wins", "x", "border, mask", "the backward pads with 0, which beats negative elements"),
        ),
    ),
    Species(
        "average pool, overlapping, padded", avgpool_forward, avgpool_backward,
        _inputs(2, 3, 7, 5, size=3, stride=2, pad=1),
        (
            bug(_a, "whole window at the border", "x", "border", "size² is divided by where fewer were counted",
                "tracel-ai/burn issue #5604 (the backward's divisor disagrees with the forward's)"),
            bug(_a, "not divided", "x", "constant factor, array factor, border", "the divisor is forgotten"),
            bug(_a, "side for area", "x", "constant factor, array factor, border", "size for size²"),
            bug(_a, "overlaps overwritten", "x", "window", "a window overwrites what its neighbours gave"),
            bug(_a, "first element only", "x", "window, mask, border", "the whole of dout goes to one element"),
        ),
    ),
    Species(
        "upsample", upsample_forward, upsample_backward, _inputs(1, 3, 4, 2, times=2),
        (
            bug(upsample_backward, "one copy", "x", "window, axis not summed", "one of the four copies is read"),
            bug(upsample_backward, "mean of copies", "x", "constant factor", "the copies are averaged"),
        ),
    ),
)  # fmt: skip
