"""Convolutions: what a window's offset, stride, dilation, group and padding can be mistaken for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from scratchnet.core.types import Array

from .species import Species, bug


def conv_forward(x: Array, w: Array, b: Array, stride: int, dilation: int, pad: int, groups: int) -> tuple[Array, Any]:
    """Cross-correlation: x (N, C, H, W), w (F, C/groups, kh, kw), out (N, F, OH, OW)."""
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    size = [(n - dilation * (k - 1) - 1) // stride + 1 for n, k in zip(padded.shape[2:], w.shape[2:], strict=True)]
    out = np.zeros((len(x), groups, len(w) // groups, *size))
    for i, j, window in _windows(padded, w, size, stride, dilation):
        out += np.einsum("ngchw,gfc->ngfhw", window.reshape(len(x), groups, -1, *size), _grouped(w, groups)[..., i, j])
    y = out.reshape(len(x), len(w), *size) + b[:, None, None]  # (N, g, F/g, OH, OW) -> (N, F, OH, OW)
    return y, (x, padded, w, stride, dilation, pad, groups)


def conv_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array, Array, Array]:
    """Of out += window(i, j)·w[i, j]: each window gets dout·w[i, j], each w[i, j] gets dout·window."""
    x, padded, w, stride, dilation, pad, groups = cache
    (N, F, *size), (kh, kw) = dout.shape, w.shape[2:]
    d = dout.reshape(N, groups, F // groups, *size)  # (N, F, OH, OW) -> (N, g, F/g, OH, OW)
    kernel = _grouped(w, groups)
    if wrong == "kernel turned in dx":
        kernel = kernel[..., ::-1, ::-1]
    elif wrong == "groups interleaved":  # (F, ...) -> (F/g, g, ...) -> (g, F/g, ...)
        kernel = w.reshape(F // groups, groups, *w.shape[1:]).swapaxes(0, 1)
    elif wrong == "first group for all":
        kernel = np.broadcast_to(kernel[:1], kernel.shape)
    dpadded, dw = np.zeros_like(padded), np.zeros_like(_grouped(w, groups))
    steps = (stride, 1 if wrong == "dilation ignored in dx" else dilation)
    for i, j, window in _windows(dpadded, w, size, *steps):
        part = np.einsum("ngfhw,gfc->ngchw", d, kernel[..., i, j]).reshape(window.shape)
        if wrong == "overlaps overwritten":
            window[...] = part
        else:
            window += part
    steps = (dilation, stride) if wrong == "stride and dilation swapped in dw" else (stride, dilation)
    for i, j, window in _windows(padded, w, size, *steps):
        at = (kh - 1 - i, kw - 1 - j) if wrong == "dw turned" else (i, j)
        dw[..., *at] = np.einsum("ngfhw,ngchw->gfc", d, window.reshape(N, groups, -1, *size))
    dw, db = dw.reshape(w.shape), dout.sum((0, 2, 3))
    if wrong == "dw over B·H·W":
        dw = dw / (N * size[0] * size[1])
    elif wrong == "dw rows for columns":
        dw = dw.swapaxes(2, 3).copy()
    elif wrong == "last tap skipped":
        dw[..., -1] = 0
    elif wrong == "db averaged over space":
        db = dout.mean((2, 3)).sum(0)
    elif wrong == "db of one pixel":
        db = dout[:, :, 0, 0].sum(0)
    rows = slice(2 * pad, None) if wrong == "cropped at the top only" else slice(pad, pad + x.shape[2])
    dx = dpadded[:, :, rows, pad : pad + x.shape[3]]  # (N, C, H+2p, W+2p) -> (N, C, H, W)
    if wrong == "border zeroed":
        dx = np.pad(dx[:, :, 1:-1, 1:-1], ((0, 0), (0, 0), (1, 1), (1, 1)))
    return dx, dw, db


def _grouped(w: Array, groups: int) -> Array:
    return w.reshape(groups, len(w) // groups, *w.shape[1:])  # (F, C/g, kh, kw) -> (g, F/g, C/g, kh, kw)


def _windows(padded: Array, w: Array, size: Any, stride: int, dilation: int) -> Iterator[tuple[int, int, Array]]:
    """For each tap (i, j) the view (N, C, OH, OW) of what it is multiplied with."""
    for i in range(w.shape[2]):
        for j in range(w.shape[3]):
            (top, left), (OH, OW) = (i * dilation, j * dilation), size
            yield i, j, padded[:, :, top : top + stride * OH : stride, left : left + stride * OW : stride]


def _inputs(x: Any, w: Any, **settings: int) -> Any:
    def draw(rng: np.random.Generator) -> dict[str, Any]:
        return {"x": rng.normal(size=x), "w": rng.normal(size=w), "b": rng.normal(size=w[0])} | settings

    return draw


_b = conv_backward
SPECIES = (
    Species(
        "conv",
        conv_forward,
        conv_backward,
        _inputs((2, 3, 6, 5), (4, 3, 3, 3), stride=1, dilation=1, pad=1, groups=1),
        (
            bug(_b, "kernel turned in dx", "x", "flip", "each tap scatters the weight of the opposite tap",
                "nntrainer/nntrainer issue #705 (multiply the 180° rotated weight)"),
            bug(_b, "dw turned", "w", "flip", "dw runs backwards in both directions",
                "FluxML/NNlib.jl issue #518 (flipped kernels in the filter's gradient)"),
            bug(_b, "overlaps overwritten", "x", "window", "col2im assigns where windows overlap"),
            bug(_b, "cropped at the top only", "x", "border, rows mixed", "2p rows are cropped at the top, none below"),
            bug(_b, "border zeroed", "x", "border, mask", "the outermost pixels of dx are lost"),
            bug(_b, "dw over B·H·W", "w", "constant factor", "dw is averaged over batch and pixels",
                "sebgao/cTensor issue #3 (1/(B*H*W) in batch_conv2d_weight_backward_f)"),
            bug(_b, "dw rows for columns", "w", "transpose",
                "kh and kw are exchanged, which fits where the kernel is square",
                "Maratyszcza/NNPACK issue #15 (wrong for all but square kernels)"),
            bug(_b, "last tap skipped", "w", "border, mask", "a loop over kw ends one too early"),
            bug(_b, "db averaged over space", "b", "constant factor", "db is a mean over the pixels"),
            bug(_b, "db of one pixel", "b", "axis not summed", "db is not summed over the pixels"),
        ),
    ),
    Species(
        "conv, stride 2, dilation 3, two groups",
        conv_forward,
        conv_backward,
        _inputs((2, 4, 9, 5), (6, 2, 3, 2), stride=2, dilation=3, pad=1, groups=2),
        (
            bug(_b, "dilation ignored in dx", "x", "window, border", "taps are scattered one pixel apart",
                "mlpack/mlpack issue #2986 (the dilation in the backward convolution)"),
            bug(_b, "stride and dilation swapped in dw", "w", "window, border", "the window's two steps are exchanged",
                "iree-org/iree-turbine pull request #1223; huggingface/candle pull request #2337"),
            bug(_b, "groups interleaved", "x", "rows mixed, transpose", "filters are dealt to the groups one by one",
                "pytorch/pytorch issue #51430 (groups > 1 in nn.grad.conv2d_weight)"),
            bug(_b, "first group for all", "x", "rows mixed, border, window", "all groups use the first one's weights",
                "ml-explore/mlx pull request #3800 (dx of grouped strided convolutions)"),
        ),
    ),
)  # fmt: skip
