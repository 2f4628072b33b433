"""Dense, convolutions and pooling in ONNX's operators."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.core.types import Shape
from scratchnet_kernels.reference.avg_pool2d import counts
from scratchnet_kernels.reference.conv2d_relu_max_pool2d import hidden_shape

from .writer import Writer

Pair = tuple[int, int]


def dense(w: Writer, x: str, W: str, b: str | None) -> str:
    """y = x Wᵀ + b."""
    return w("Gemm", x, W, *([] if b is None else [b]), transB=1)


def dense_relu(w: Writer, x: str, W: str, b: str | None) -> str:
    """y = max(x Wᵀ + b, 0)."""
    return w("Relu", dense(w, x, W, b))


def conv2d(
    w: Writer, x: str, W: str, b: str | None, stride: Pair, padding: tuple[Pair, Pair], dilation: Pair, groups: int
) -> str:
    """y = b + Σ W·x at every place of the window."""
    settings = _window(w, stride, padding, dilation, groups)
    return w("Conv", x, W, *([] if b is None else [b]), **settings)


def conv_transpose2d(
    w: Writer, x: str, W: str, b: str | None, stride: Pair, padding: tuple[Pair, Pair], dilation: Pair, groups: int
) -> str:
    """The convolution from y to x, run backwards. Rows of y beyond the last window are ONNX's output_padding."""
    settings = _window(w, stride, padding, dilation, groups)
    extents = w.node.given["x"].shape[2:], w.node.out["y"].shape[2:]
    more = [
        out - ((n - 1) * step + (k - 1) * d + 1 - sum(pads))
        for n, out, step, k, d, pads in zip(*extents, stride, settings["kernel_shape"], dilation, padding, strict=True)
    ]
    return w("ConvTranspose", x, W, *([] if b is None else [b]), output_padding=more, **settings)


def _window(w: Writer, stride: Pair, padding: tuple[Pair, Pair], dilation: Pair, groups: int) -> dict[str, Any]:
    kernel = w.node.given["W"].shape[2:]
    pads = [side[end] for end in (0, 1) for side in padding]
    return {"kernel_shape": kernel, "strides": stride, "pads": pads, "dilations": dilation, "group": groups}


def max_pool2d(w: Writer, x: str, window: Pair, stride: Pair, padding: Pair, dilation: Pair) -> str:
    """y = the largest of each window. What a last window sees beyond the image is padding too."""
    return _max(w, x, w.node.given["x"].shape, window, stride, padding, dilation)


def conv2d_relu_max_pool2d(
    w: Writer, x: str, W: str, b: str | None,
    stride: Pair, padding: tuple[Pair, Pair], dilation: Pair, groups: int,
    window: Pair, pool_stride: Pair, pool_padding: Pair, pool_dilation: Pair,
) -> str:  # fmt: skip
    """y = max_pool2d(relu(conv2d(x, W, b)))."""
    shapes = w.node.given["x"].shape, w.node.given["W"].shape
    hidden = w("Relu", conv2d(w, x, W, b, stride, padding, dilation, groups))
    image = hidden_shape(*shapes, stride, padding, dilation)
    return _max(w, hidden, image, window, pool_stride, pool_padding, pool_dilation)


def _max(w: Writer, x: str, image: Shape, window: Pair, stride: Pair, padding: Pair, dilation: Pair) -> str:
    pads = _pads(w, image, window, stride, padding, dilation)
    if any(side >= extent for side, extent in zip(pads, window * 2, strict=True)):  # refused by ONNX Runtime
        x, pads = _padded(w, x, pads, -np.inf), [0] * 4
    return w("MaxPool", x, kernel_shape=window, strides=stride, pads=pads, dilations=dilation)


def avg_pool2d(w: Writer, x: str, window: Pair, stride: Pair, padding: Pair, count_include_pad: bool) -> str:
    """y = Σ x / count. Where windows reach beyond the padding, runtimes disagree on count: it is written out then."""
    pads = _pads(w, w.node.given["x"].shape, window, stride, padding, (1, 1))
    settings: dict[str, Any] = {"kernel_shape": window, "strides": stride}
    if pads[2] <= padding[0] and pads[3] <= padding[1]:
        return w("AveragePool", x, pads=pads, count_include_pad=int(count_include_pad), **settings)
    y = w("AveragePool", _padded(w, x, pads, 0.0), **settings)
    image, places = (np.empty((1, 1, *shape[2:])) for shape in (w.node.given["x"].shape, w.node.out["y"].shape))
    area = window[0] * window[1]
    return w("Mul", y, w.constant(area / counts(image, places, window, stride, padding, count_include_pad), np.float32))


def _pads(w: Writer, image: Shape, window: Pair, stride: Pair, padding: Pair, dilation: Pair) -> list[int]:
    """[top, left, bottom, right], of which the last two are what the last window needs, so that no mode is asked."""
    extents = image[2:], w.node.out["y"].shape[2:]
    ends = [
        max(0, (places - 1) * step + (k - 1) * d + 1 - before - extent)
        for extent, places, step, k, d, before in zip(*extents, stride, window, dilation, padding, strict=True)
    ]
    return [*padding, *ends]


def _padded(w: Writer, x: str, pads: list[int], value: float) -> str:
    return w("Pad", x, w.constant([0, 0, *pads[:2], 0, 0, *pads[2:]]), w.number(value))


def global_avg_pool2d(w: Writer, x: str) -> str:
    """y[n, c] = Σ x[n, c] / (H·W)."""
    return w("ReduceMean", x, axes=[2, 3], keepdims=0)
