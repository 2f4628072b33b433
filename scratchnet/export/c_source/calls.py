"""What each op is in C: the function that computes it for one sample, and the arguments that it is given.

An argument is written as an int; a text is the name of an op's argument, of which a pointer is passed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from scratchnet.core.types import Shape
from scratchnet_kernels.reference.conv2d_relu_max_pool2d import hidden_shape

from ..graph import Node
from .layout import size

Arguments = tuple[Any, ...]

UNBROKEN = "\0"  # a space at which no line is broken


class Code(str):
    """Text that stands in the call as it is."""


class Room(int):
    """So many numbers of memory for the function's own use."""


class Form(NamedTuple):
    """How an op is called.

    arguments: of the function, from the node. in_place: whether y may lie where x does.
    """

    function: str
    arguments: Callable[[Node], Arguments]
    in_place: bool = False


def _shape(node: Node, name: str) -> tuple[int, ...]:
    views: Mapping[str, Any] = {**node.given, **node.out}
    return tuple(int(extent) for extent in views[name].shape)


def _each(function: str, *settings: str) -> Form:
    """Element by element; settings are numbers of the network's type."""

    def arguments(node: Node) -> Arguments:
        return size(node.out["y"].shape), *(np.float64(node.given[name]) for name in settings), "x", "y"

    return Form(function, arguments, in_place=True)


def _add(first: str, second: str) -> Form:
    return Form("add", lambda node: (size(node.out["y"].shape), first, second, "y"), in_place=True)


def _dense(node: Node) -> Arguments:
    return *_shape(node, "x"), _shape(node, "W")[0], "x", "W", "b", "y"


def _window(outer: Shape, inner: Shape, kernel: Shape, given: Mapping[str, Any], of: str = "") -> Code:
    """The window that steps over `outer` and gives `inner`, both (N, C, H, W); `of` begins its settings' names."""
    border = tuple(p[0] if isinstance(p, tuple) else p for p in given[f"{of}padding"])
    fields: dict[str, Shape] = {"in": outer[1:], "out": inner[1:], "size": kernel, "step": given[f"{of}stride"]}
    fields |= {"border": border, "dilation": given.get(f"{of}dilation", (1, 1))}
    parts = [f".{name} = {{{', '.join(map(str, numbers))}}}" for name, numbers in fields.items()]
    parts.append(f".groups = {1 if of else given.get('groups', 1)}")
    return Code(f"(window){{{', '.join(part.replace(' ', UNBROKEN) for part in parts)}}}")


def _conv2d(node: Node) -> Arguments:
    window = _window(_shape(node, "x"), _shape(node, "y"), _shape(node, "W")[2:], node.given)
    return window, "x", "W", "b", "y"


def _conv_transpose2d(node: Node) -> Arguments:
    window = _window(_shape(node, "y"), _shape(node, "x"), _shape(node, "W")[2:], node.given)
    return window, "x", "W", "b", "y"


def _conv2d_relu_max_pool2d(node: Node) -> Arguments:
    x, W, y, given = _shape(node, "x"), _shape(node, "W"), _shape(node, "y"), node.given
    hidden = hidden_shape((1, *x[1:]), W, given["stride"], given["padding"], given["dilation"])
    conv = _window(x, hidden, W[2:], given)
    return conv, _window(hidden, y, given["window"], given, "pool_"), "x", "W", "b", Room(size(hidden)), "y"


def _max_pool2d(node: Node) -> Arguments:
    return _window(_shape(node, "x"), _shape(node, "y"), node.given["window"], node.given), "x", "y"


def _avg_pool2d(node: Node) -> Arguments:
    window = _window(_shape(node, "x"), _shape(node, "y"), node.given["window"], node.given)
    return window, int(node.given["count_include_pad"]), "x", "y"


def _global_avg_pool2d(node: Node) -> Arguments:
    _, channels, *area = _shape(node, "x")
    return channels, size(tuple(area)), "x", "y"


def _eps(node: Node) -> Code:
    return Code(repr(float(node.given["eps"])))


def _batch_norm(node: Node) -> Arguments:
    _, channels, *area = _shape(node, "x")
    return channels, size(tuple(area)), "x", "gamma", "beta", "running_mean", "running_var", _eps(node), "y"


def _layer_norm(node: Node) -> Arguments:
    shape = _shape(node, "x")
    split = len(shape) - node.given["axes"]
    return size(shape[:split]), size(shape[split:]), "x", "gamma", "beta", _eps(node), "y"


def _group_norm(node: Node) -> Arguments:
    _, channels, *area = _shape(node, "x")
    return node.given["groups"], channels, size(tuple(area)), "x", "gamma", "beta", _eps(node), "y"


def _rms_norm(node: Node) -> Arguments:
    *rows, n = _shape(node, "x")
    return size(tuple(rows)), n, "x", "gamma", _eps(node), "y"


def _embedding(node: Node) -> Arguments:
    padding = node.given["padding"]
    return size(_shape(node, "x")), *_shape(node, "W"), -1 if padding is None else padding, "x", "W", "y"


def _softmax(function: str) -> Form:
    return Form(function, lambda node: (*_shape(node, "x"), "x", "y"), in_place=True)


def _recurrent(node: Node) -> Arguments:
    _, steps, inputs = _shape(node, "x")
    return steps, inputs, _shape(node, "W_hh")[1], int(node.given["reverse"])


WEIGHTS = "x", "W_ih", "W_hh", "b_ih", "b_hh"


def _rnn(node: Node) -> Arguments:
    return *_recurrent(node), int(node.given["nonlinearity"] == "relu"), *WEIGHTS, "y"


def _lstm(node: Node) -> Arguments:
    return *_recurrent(node), *WEIGHTS, Room(_shape(node, "W_hh")[1]), "y"


def _gru(node: Node) -> Arguments:
    return *_recurrent(node), *WEIGHTS, "y"


def _attention(node: Node) -> Arguments:
    (_, heads, queries, width), keys = _shape(node, "q"), _shape(node, "k")[2]
    return heads, queries, keys, width, int(node.given["causal"]), "q", "k", "v", Room(keys), "y"


FORMS = {
    "add": _add("a", "b"),
    "attention": Form("attention", _attention),
    "avg_pool2d": Form("avg_pool2d", _avg_pool2d),
    "batch_norm_eval": Form("batch_norm", _batch_norm, in_place=True),
    "conv2d": Form("conv2d", _conv2d),
    "conv2d_relu_max_pool2d": Form("conv2d_relu_max_pool2d", _conv2d_relu_max_pool2d),
    "conv_transpose2d": Form("conv_transpose2d", _conv_transpose2d),
    "dense": Form("dense", _dense),
    "dense_relu": Form("dense_relu", _dense),
    "elu": _each("elu", "alpha"),
    "embedding": Form("embedding", _embedding),
    "gelu": _each("gelu"),
    "gelu_tanh": _each("gelu_tanh"),
    "global_avg_pool2d": Form("global_avg_pool2d", _global_avg_pool2d),
    "group_norm": Form("group_norm", _group_norm, in_place=True),
    "gru": Form("gru", _gru),
    "layer_norm": Form("layer_norm", _layer_norm, in_place=True),
    "leaky_relu": _each("leaky_relu", "slope"),
    "log_softmax": _softmax("log_softmax"),
    "lstm": Form("lstm", _lstm),
    "max_pool2d": Form("max_pool2d", _max_pool2d),
    "positional_embedding": _add("x", "P"),
    "relu": _each("relu"),
    "rms_norm": Form("rms_norm", _rms_norm, in_place=True),
    "rnn": Form("rnn", _rnn),
    "sigmoid": _each("sigmoid"),
    "silu": _each("silu"),
    "softmax": _softmax("softmax"),
    "softplus": _each("softplus", "beta", "threshold"),
    "square": _each("square"),
    "tanh": _each("hyperbolic_tangent"),
}
"""By op. "copy" and "concat" are places in memory, not functions: see `body`."""
