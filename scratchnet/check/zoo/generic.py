"""Array operations: broadcasting, permutations, slices, ties, paths that meet."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.core.types import Array

from .species import Species, bug, right


def broadcast_forward(x: Array, a: Array, b: Array) -> tuple[Array, Any]:
    """out = x·a + b with a (H, 1) and b (W,) broadcast. (N, H, W)"""
    return x * a + b, (x, a)


def broadcast_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array, Array, Array]:
    """da = Σ dout·x and db = Σ dout over the axes of the broadcast."""
    x, a = cache
    da = (dout * x).sum((0, 2))[:, None]  # (N, H, W) -> (H, 1)
    db = dout.sum((0, 1))  # (N, H, W) -> (W,)
    if wrong == "da not reduced":
        da = dout * x
    elif wrong == "da of the first sample":
        da = (dout * x)[0].sum(1, keepdims=True)
    elif wrong == "da averaged":
        da = (dout * x).mean((0, 2))[:, None]
    elif wrong == "x forgotten in da":
        da = dout.sum((0, 2))[:, None]
    elif wrong == "db of the first row":
        db = dout.sum(0)[0]
    return dout * a, da, db


def divide_forward(a: Array, b: Array) -> tuple[Array, Any]:
    """out = a/b."""
    return a / b, (a, b)


def divide_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array, Array]:
    """da = dout/b, db = −dout·a/b²."""
    a, b = cache
    db = -dout * a / (b if wrong == "square forgotten" else b**2)
    return dout / b, -db if wrong == "sign forgotten" else db


def permute_forward(x: Array) -> tuple[Array, Any]:
    """out = x with axes (2, 0, 1)."""
    return x.transpose(2, 0, 1).copy(), x.shape


def permute_backward(dout: Array, shape: Any, wrong: str = "") -> tuple[Array]:
    """The inverse permutation, (1, 2, 0)."""
    if wrong == "same permutation":
        return (dout.transpose(2, 0, 1).copy(),)
    return (dout.reshape(shape).copy() if wrong == "reshape for transpose" else dout.transpose(1, 2, 0).copy(),)


def flatten_forward(x: Array) -> tuple[Array, Any]:
    """(N, H, W) -> (N, H·W)"""
    return x.reshape(len(x), -1).copy(), x.shape


def flatten_backward(dout: Array, shape: Any, wrong: str = "") -> tuple[Array]:
    """(N, H·W) -> (N, H, W)"""
    if wrong == "view of dout":
        return (dout.reshape(shape),)
    return (dout.reshape(shape, order="F" if wrong == "column by column" else "C").copy(),)


def cumsum_forward(x: Array) -> tuple[Array, Any]:
    """out_i = x_0 + ... + x_i along axis 1."""
    return x.cumsum(1), None


def cumsum_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array]:
    """dx_i = Σ_{j ≥ i} dout_j."""
    if wrong == "forward again":
        return (dout.cumsum(1),)
    back = dout[:, ::-1].cumsum(1)
    return (back if wrong == "not turned back" else back[:, ::-1].copy() - (dout if wrong == "own term lost" else 0),)


def max_forward(x: Array) -> tuple[Array, Any]:
    """The largest of each row. (N, D) -> (N,)"""
    return x.max(1), x


def max_backward(dout: Array, x: Any, wrong: str = "") -> tuple[Array]:
    """dout goes to the first largest element."""
    largest = x == x.max(1, keepdims=True)
    if wrong == "ties share":
        return (dout[:, None] * largest / largest.sum(1, keepdims=True),)
    first = np.arange(x.shape[1]) == x.argmax(1)[:, None]
    if wrong == "nearly largest":
        largest = x > x.max(1, keepdims=True) - 0.8
    return (dout[:, None] * (first if wrong in ("", "largest twice") else largest),)


def pad_forward(x: Array) -> tuple[Array, Any]:
    """One zero before, two after, along axis 1."""
    return np.pad(x, ((0, 0), (1, 2))), None


def pad_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array]:
    """dx = dout without the border."""
    return (dout[:, 2:-1].copy() if wrong == "sides swapped" else dout[:, 1:-2].copy(),)


def concat_forward(a: Array, b: Array) -> tuple[Array, Any]:
    """a and b side by side."""
    return np.concatenate([a, b], 1), a.shape[1]


def concat_backward(dout: Array, width: Any, wrong: str = "") -> tuple[Array, Array]:
    """dout cut where a ends."""
    if wrong == "parts swapped":
        return dout[:, -width:].copy(), dout[:, : dout.shape[1] - width].copy()
    return dout[:, :width].copy(), dout[:, width:].copy()


def residual_forward(x: Array) -> tuple[Array, Any]:
    """out = x + tanh(x)."""
    return x + np.tanh(x), np.tanh(x)


def residual_backward(dout: Array, t: Any, wrong: str = "") -> tuple[Array]:
    """dx = dout + dout·(1 − tanh²): two paths."""
    branch = dout * (1 - t**2)
    if wrong == "skip path lost":
        return (branch,)
    return (dout.copy() if wrong == "branch lost" else dout * branch if wrong == "paths multiplied" else dout + branch,)


def _x(*shape: int) -> Any:
    return lambda rng: {"x": rng.normal(size=shape)}


_w = broadcast_backward
SPECIES = (
    Species(
        "broadcast", broadcast_forward, broadcast_backward,
        lambda rng: {"x": rng.normal(size=(2, 3, 5)), "a": rng.normal(size=(3, 1)), "b": rng.normal(size=5)},
        (
            bug(_w, "da not reduced", "a", "protocol, axis not summed", "da has the shape of out",
                "deeplearning4j/nd4j issue #2424 (gradient not summed); tracel-ai/burn issue #181"),
            bug(_w, "da of the first sample", "a", "axis not summed", "da is not summed over the batch"),
            bug(_w, "da averaged", "a", "constant factor", "a mean over the axes of the broadcast"),
            bug(_w, "x forgotten in da", "a", "array factor, term missing", "da = Σ dout"),
            bug(_w, "db of the first row", "b", "axis not summed", "db is not summed over axis 1"),
        ),
    ),
    Species(
        "divide", divide_forward, divide_backward,
        lambda rng: {"a": rng.normal(size=(3, 4)), "b": rng.uniform(0.5, 2, (3, 4))},
        (
            bug(divide_backward, "sign forgotten", "b", "sign", "+dout·a/b²"),
            bug(divide_backward, "square forgotten", "b", "array factor", "−dout·a/b"),
        ),
    ),
    Species(
        "permute a cube", permute_forward, permute_backward, _x(3, 3, 3),
        (
            bug(permute_backward, "same permutation", "x", "transpose", "the forward's permutation, not its inverse",
                "flexflow/flexflow-train pull request #1676 (invisible in a 2-D test)"),
            bug(permute_backward, "reshape for transpose", "x", "transpose", "dout.reshape fits by shape"),
        ),
    ),
    Species(
        "flatten", flatten_forward, flatten_backward, _x(2, 3, 4),
        (
            bug(flatten_backward, "view of dout", "x", "aliasing", "dx shares its memory with dout"),
            bug(flatten_backward, "column by column", "x", "transpose, rows mixed", "another order of the elements"),
        ),
    ),
    Species(
        "cumulative sum", cumsum_forward, cumsum_backward, _x(3, 5),
        (
            bug(cumsum_backward, "forward again", "x", "flip, term missing", "the sum runs the same way back"),
            bug(cumsum_backward, "not turned back", "x", "flip", "one [::-1] too few"),
            bug(cumsum_backward, "own term lost", "x", "term missing", "j > i for j ≥ i"),
        ),
    ),
    Species(
        "largest of a row", max_forward, max_backward, _x(4, 6),
        (bug(max_backward, "nearly largest", "x", "mask", "a loose comparison picks others as well",
             "mni-ml/framework pull request #22 (is_close as the mask)"),),
    ),
    Species(
        "largest of a row, at ties", max_forward, max_backward,
        lambda rng: {"x": np.array([[2.0, 0, 2, 1], [1, 1, 1, 1], [0, 3, 1, 3]])},
        (bug(max_backward, "all ties", "x", "mask, window", "every largest element gets the whole of dout",
             "Theano/Theano issue #5404; tensorflow/tensorflow issue #4886"),),
        (right(max_backward, "ties share", "a convex combination of subgradients, as tf.reduce_max gives it"),),
    ),
    Species(
        "pad", pad_forward, pad_backward, _x(3, 4),
        (bug(pad_backward, "sides swapped", "x", "border, rows mixed", "two are cut before and one after"),),
    ),
    Species(
        "concatenate", concat_forward, concat_backward,
        lambda rng: {"a": rng.normal(size=(3, 2)), "b": rng.normal(size=(3, 4))},
        (bug(concat_backward, "parts swapped", "a, b", "rows mixed, transpose, border",
             "dout is cut as if b came first"),),
    ),
    Species(
        "residual", residual_forward, residual_backward, _x(4, 5),
        (
            bug(residual_backward, "skip path lost", "x", "not added, term missing", "only the branch has a gradient",
                "karpathy/micrograd issue #2 (values that are used again)"),
            bug(residual_backward, "branch lost", "x", "not added, term missing", "only the skip path has a gradient"),
            bug(residual_backward, "paths multiplied", "x", "cotangent twice, not linear",
                "the paths are multiplied, not added"),
        ),
    ),
)  # fmt: skip
