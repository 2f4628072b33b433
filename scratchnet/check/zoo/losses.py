"""Losses: batch sizes, upstream scales, targets, overflow."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.core.types import Array

from .species import Species, bug


def cross_entropy_forward(z: Array, t: Array, ignore: int) -> tuple[Array, Any]:
    """The mean of −log softmax(z)[t] over the rows whose t is not `ignore`."""
    shifted = z - z.max(1, keepdims=True)
    log_q = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    kept = t != ignore
    value = -(log_q[np.arange(len(t)), t] * kept).sum() / kept.sum()
    return np.asarray(value), (z, np.exp(log_q), t, kept)


def cross_entropy_backward(dout: Any, cache: Any, wrong: str = "") -> tuple[Array]:
    """dz = dout·(softmax(z) − onehot(t))/rows kept, 0 in the others."""
    z, q, t, kept = cache
    rows, count = np.arange(len(t)), kept.sum()
    if wrong == "overflow":
        with np.errstate(all="ignore"):
            q = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    elif wrong == "softmax over the batch":
        q = np.exp(z) / np.exp(z).sum(0, keepdims=True)
    elif wrong == "diagonal only":
        dz = np.zeros_like(q)
        dz[rows, t] = -(1 - q[rows, t])
        return (dout * dz / count,)
    elif wrong == "softmax twice":
        q = np.exp(q) / np.exp(q).sum(1, keepdims=True)
    dz = q if wrong == "q changed in the cache" else q.copy()
    if wrong == "next target":
        t = np.roll(t, 1)
    if wrong != "target not subtracted":
        dz[rows, t] -= 1
    if wrong == "negated":
        dz = -dz
    if wrong != "ignored rows too":
        dz = dz * kept[:, None] if not wrong.startswith("q changed") else dz
    scale = {
        "no 1/N": 1.0,
        "1/(N·C)": 1 / z.size,
        "1/N of all rows": 1 / len(t),
    }.get(wrong, 1 / count)
    return ((1.0 if wrong == "upstream ignored" else dout) * dz * scale,)


def rowwise_forward(z: Array, t: Array) -> tuple[Array, Any]:
    """−log softmax(z)[t] of each row. (N, C) -> (N,)"""
    shifted = z - z.max(1, keepdims=True)
    log_q = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return -log_q[np.arange(len(t)), t], (np.exp(log_q), t)


def rowwise_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array]:
    """dz = dout·(softmax(z) − onehot(t)), row by row."""
    q, t = cache
    scale = dout[:1, None] if wrong == "first upstream for all" else dout[:, None]
    if wrong == "mean upstream":
        scale = dout.mean()
    return (scale * (q - np.eye(q.shape[1])[t]),)


def mse_forward(y: Array, t: Array) -> tuple[Array, Any]:
    """mean((y − t)²)."""
    return np.asarray(((y - t) ** 2).mean()), (y, t)


def mse_backward(dout: Any, cache: Any, wrong: str = "") -> tuple[Array, Array]:
    """dy = 2·dout·(y − t)/size, dt = −dy."""
    y, t = cache
    factor = 1.0 if wrong == "2 forgotten" else 2.0
    dy = dout * factor * (y - t) / (len(y) if wrong == "rows for size" else y.size)
    if wrong == "t − y":
        dy = -dy
    return dy, dy.copy() if wrong in ("dt not negated", "t − y") else -dy


def hinge_forward(s: Array, t: Array) -> tuple[Array, Any]:
    """The multiclass hinge: mean over rows of Σ max(0, s_j − s_t + 1) over j ≠ t."""
    margins = np.maximum(0, s - s[np.arange(len(t)), t][:, None] + 1)
    margins[np.arange(len(t)), t] = 0
    return np.asarray(margins.sum() / len(t)), (margins, t)


def hinge_backward(dout: Any, cache: Any, wrong: str = "") -> tuple[Array]:
    """1 where a margin is violated, minus their number at the right class."""
    margins, t = cache
    ds = margins.copy() if wrong == "margins for the mask" else (margins > 0) * 1.0
    if wrong == "one at the right class":
        ds[np.arange(len(t)), t] = -1
    elif wrong != "right class forgotten":
        ds[np.arange(len(t)), t] = -(margins > 0).sum(1)
    return (dout * ds / len(t),)


def bce_forward(z: Array, t: Array) -> tuple[Array, Any]:
    """The mean of softplus(z) − t·z: binary cross-entropy from logits."""
    return np.asarray((np.maximum(z, 0) + np.log1p(np.exp(-abs(z))) - t * z).mean()), (z, t)


def bce_backward(dout: Any, cache: Any, wrong: str = "") -> tuple[Array]:
    """dz = dout·(s(z) − t)/size."""
    z, t = cache
    s = 0.5 * (1 + np.tanh(z / 2))
    d = (s - t) * s * (1 - s) if wrong == "sigmoid's slope too" else s - t
    if wrong == "through log s":
        with np.errstate(all="ignore"):
            s = 1 / (1 + np.exp(-z))
            d = (s - t) / (s * (1 - s)) * (s * (1 - s))
    return (dout * d / z.size,)


def huber_forward(y: Array, t: Array) -> tuple[Array, Any]:
    """The sum of r²/2 where |r| < 1, else |r| − 1/2, with r = y − t."""
    r = abs(y - t)
    return np.asarray(np.where(r < 1, r**2 / 2, r - 0.5).sum()), y - t


def huber_backward(dout: Any, r: Any, wrong: str = "") -> tuple[Array, Array]:
    """dy = dout·clip(r, −1, 1), dt = −dy."""
    dy = dout * {"not clipped": r, "sign everywhere": np.sign(r), "1 outside": np.where(abs(r) < 1, r, 1.0)}.get(
        wrong, np.clip(r, -1, 1)
    )
    return dy, -dy


def _logits(scale: float, ignore: int) -> Any:
    def draw(rng: np.random.Generator) -> dict[str, Any]:
        near = rng.normal(size=(5, 3)) + scale * np.array([1, 1, -1])
        return {"z": near, "t": np.array([0, 2, 1, 2, 0]), "ignore": ignore}

    return draw


def _two(rng: np.random.Generator) -> dict[str, Any]:
    return {"y": 2 * rng.normal(size=(4, 3)), "t": rng.normal(size=(4, 3))}


_c, _h = cross_entropy_backward, hinge_backward
SPECIES = (
    Species(
        "softmax cross-entropy", cross_entropy_forward, _c, _logits(0.0, -1),
        (
            bug(_c, "no 1/N", "z", "constant factor", "the mean over the batch is forgotten",
                "tensorflow/swift-apis pull request #42 (the VJP lacks the call to mean)"),
            bug(_c, "1/(N·C)", "z", "constant factor", "divided by all elements, not by the rows",
                "victorlempitsky/Mate issue #2 (numel for size of the batch)"),
            bug(_c, "upstream ignored", "z", "cotangent ignored", "dout is taken for 1",
                "PaddlePaddle/Paddle issue #5395 (does not handle the gradients it receives)"),
            bug(_c, "diagonal only", "z", "term missing, mask", "only the target's logit gets a gradient"),
            bug(_c, "target not subtracted", "z", "term missing", "dz = softmax(z)/N"),
            bug(_c, "next target", "z", "rows mixed, term missing", "each row is compared with its neighbour's target"),
            bug(_c, "softmax over the batch", "z", "axis not summed, term missing, rows mixed", "axis 0 for axis 1"),
            bug(_c, "softmax twice", "z", "array factor, term missing", "the softmax of probabilities"),
            bug(_c, "negated", "z", "sign", "onehot − softmax",
                "iamtrask/Grokking-Deep-Learning issue #37 (target minus output)"),
            bug(_c, "q changed in the cache", "z", "mutation, state left over", "dz = q; dz[rows, t] -= 1"),
        ),
    ),
    Species(
        "softmax cross-entropy, large", cross_entropy_forward, _c, _logits(1e3, -1),
        (bug(_c, "overflow", "z", "not finite", "eᶻ without subtracting the maximum, at ±1000",
             "manassharma07/crysx_nn issue #7 (NaN in the loss's gradient)"),),
    ),
    Species(
        "softmax cross-entropy, ignored rows", cross_entropy_forward, _c, _logits(0.0, 1),
        (
            bug(_c, "ignored rows too", "z", "mask", "rows that do not count get a gradient",
                "PaddlePaddle/Paddle pull request #28622 (gradients with ignore_idx)"),
            bug(_c, "1/N of all rows", "z", "constant factor", "divided by N, not by the rows that count"),
        ),
    ),
    Species(
        "cross-entropy of each row", rowwise_forward, rowwise_backward,
        lambda rng: {"z": rng.normal(size=(4, 3)), "t": np.array([0, 2, 1, 2])},
        (
            bug(rowwise_backward, "first upstream for all", "z", "rows mixed, cotangent ignored",
                "dout[0] scales every row",
                "paiml/aprender pull request #2182 (only grad_output[0] is read)"),
            bug(rowwise_backward, "mean upstream", "z", "rows mixed, cotangent ignored",
                "dout.mean() scales every row"),
        ),
    ),
    Species(
        "mean squared error", mse_forward, mse_backward, _two,
        (
            bug(mse_backward, "2 forgotten", "y, t", "constant factor", "the square's 2 is lost",
                "markroxor/fromscratchtoml issue #65 (off by a factor of two)"),
            bug(mse_backward, "rows for size", "y, t", "constant factor", "divided by N, not by N·D"),
            bug(mse_backward, "t − y", "y", "sign", "target minus output, in dy"),
            bug(mse_backward, "dt not negated", "t", "sign", "both arguments get the same gradient"),
        ),
    ),
    Species(
        "multiclass hinge", hinge_forward, _h,
        lambda rng: {"s": 2 * rng.normal(size=(5, 4)), "t": np.array([0, 3, 1, 2, 0])},
        (
            bug(_h, "right class forgotten", "s", "term missing, mask", "the right class gets no gradient"),
            bug(_h, "one at the right class", "s", "term missing, array factor",
                "−1 for minus the number of violations"),
            bug(_h, "margins for the mask", "s", "array factor, mask",
                "the margins themselves for where they are positive"),
        ),
    ),
    Species(
        "binary cross-entropy, large", bce_forward, bce_backward,
        lambda rng: {"z": rng.normal(size=(3, 4)) + np.array([-1e3, 0, 0, 1e3]), "t": rng.integers(0, 2, (3, 4))},
        (
            bug(bce_backward, "sigmoid's slope too", "z", "array factor",
                "s·(1 − s) is applied to a gradient that has it already",
                "hunkim/DeepLearningZeroToAll pull request #113 (diff or diff·sigma'?)"),
            bug(bce_backward, "through log s", "z", "not finite", "dividing by s·(1 − s) = 0"),
        ),
    ),
    Species(
        "huber", huber_forward, huber_backward, _two,
        (
            bug(huber_backward, "not clipped", "y, t", "mask, array factor", "r outside as well"),
            bug(huber_backward, "sign everywhere", "y, t", "mask, array factor", "±1 inside as well"),
            bug(huber_backward, "1 outside", "y, t", "mask, sign", "+1 where r < −1"),
        ),
    ),
)  # fmt: skip
