"""JAX's training step: one jitted function that gathers, scales, differentiates and updates donated parameters.

The set lies on the device as uint8. Pictures and convolutions are NHWC and HWIO, which XLA's CPU kernels want; the
weights are transposed once, at the start. Calls are dispatched asynchronously, and the losses read when the slice of
steps is over. XLA takes as many threads as the process may use processors.
"""

from __future__ import annotations

import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from _nets import NETS, Net, data, orders
from jax import lax

Tree = Any
NHWC = ("NHWC", "HWIO", "NHWC")


def conv(x: Any, W: Any, stride: int = 1) -> Any:
    """Zeros around the picture so that stride 1 keeps its size."""
    pad = W.shape[0] // 2
    return lax.conv_general_dilated(x, W, (stride, stride), [(pad, pad)] * 2, dimension_numbers=NHWC)


def pool(x: Any) -> Any:
    """The largest of each 2 × 2."""
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


class Norms:
    """BatchNorm in training: normalises, and keeps the new running statistics for the step to return."""

    def __init__(self, running: Tree) -> None:
        self.old, self.new = iter(running), list[Any]()

    def __call__(self, x: Any, gamma: Any, beta: Any) -> Any:
        mean = x.mean((0, 1, 2))
        var = jnp.square(x - mean).mean((0, 1, 2))
        old_mean, old_var = next(self.old)
        unbiased = var * (x.size / x.shape[-1] / (x.size / x.shape[-1] - 1))
        self.new.append((0.9 * old_mean + 0.1 * mean, 0.9 * old_var + 0.1 * unbiased))
        return (x - mean) * lax.rsqrt(var + 1e-5) * gamma + beta


def layer_norm(x: Any, gamma: Any, beta: Any) -> Any:
    """Over the last axis."""
    mean = x.mean(-1, keepdims=True)
    var = jnp.square(x - mean).mean(-1, keepdims=True)
    return (x - mean) * lax.rsqrt(var + 1e-5) * gamma + beta


def block(x: Any, p: Any, norm: Norms, stride: int) -> Any:
    """A residual block; `p` is the iterator over the parameters."""
    h = jax.nn.relu(norm(conv(x, next(p), stride), next(p), next(p)))
    h = norm(conv(h, next(p)), next(p), next(p))
    return h + (x if stride == 1 else norm(conv(x, next(p), stride), next(p), next(p)))


def lstm(x: Any, W_ih: Any, W_hh: Any, b_ih: Any, b_hh: Any) -> Any:
    """The last state; the products with x are taken at once for all times."""
    projected = jnp.einsum("ntd,gd->tng", x, W_ih) + (b_ih + b_hh)

    def step(carry: Any, a: Any) -> Any:
        h, c = carry
        i, f, g, o = jnp.split(a + h @ W_hh.T, 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), None

    zero = jnp.zeros((x.shape[0], W_hh.shape[1]), x.dtype)
    return lax.scan(step, (zero, zero), projected)[0][0]


def attention(x: Any, W: Any, b: Any, Wo: Any, bo: Any, heads: int = 4) -> Any:
    """Self-attention."""
    N, T, D = x.shape
    q, k, v = (part.reshape(N, T, heads, D // heads) for part in jnp.split(x @ W.T + b, 3, axis=2))
    mixed = jax.nn.dot_product_attention(q, k, v)
    return mixed.reshape(N, T, D) @ Wo.T + bo


def logits(name: str, p: Any, x: Any, norm: Norms) -> Any:
    """The net by name; `p` is an iterator over the parameters."""
    if name in ("mlp", "deep"):
        for _ in range(1 if name == "mlp" else 4):
            x = jax.nn.relu(x @ next(p).T + next(p))
    elif name == "cnn":
        for _ in range(2):
            x = pool(jax.nn.relu(conv(x, next(p)) + next(p)))
    elif name == "cnn_bn":
        for _ in range(2):
            x = pool(jax.nn.relu(norm(conv(x, next(p)) + next(p), next(p), next(p))))
    elif name == "resnet":
        x = jax.nn.relu(norm(conv(x, next(p)), next(p), next(p)))
        x = jax.nn.relu(block(x, p, norm, 1))
        x = jax.nn.relu(block(x, p, norm, 2)).mean((1, 2))
    elif name == "lstm":
        x = lstm(x, next(p), next(p), next(p), next(p))
    else:
        x = x + attention(layer_norm(x, next(p), next(p)), next(p), next(p), next(p), next(p))
        x = layer_norm(x, next(p), next(p))
    return x.reshape(len(x), -1) @ next(p).T + next(p)


def transposed(net: Net) -> list[Any]:
    """The initial weights for NHWC: (O, I, kh, kw) -> (kh, kw, I, O), and columns behind a picture likewise."""
    out = [W.transpose(2, 3, 1, 0) if W.ndim == 4 else W for W in net.weights()]
    if net.name in ("cnn", "cnn_bn"):
        O, I = out[-2].shape  # noqa: E741
        C = out[-3].size  # channels of the last convolution
        side = round((I / C) ** 0.5)
        out[-2] = out[-2].reshape(O, C, side, side).transpose(0, 2, 3, 1).reshape(O, I)
    return [jnp.array(W) for W in out]


class Engine:
    """The loop that a user writes."""

    def __init__(self, net: Net, batch: int) -> None:
        images, labels, _ = data(net)
        shape = net.shape
        if len(shape) == 3:
            images, shape = (
                images.reshape(-1, *shape).transpose(0, 2, 3, 1).reshape(len(images), -1),
                (*shape[1:], shape[0]),
            )
        self.images, self.labels, self.batch = jnp.array(images), jnp.array(labels, jnp.int32), batch
        widths = [W[-1] for _, W in [p for p in net.parameters if p[0] == "1"]] if len(net.shape) == 3 else []
        self.state = transposed(net), [(jnp.zeros(C), jnp.ones(C)) for C in widths]

        def loss(p: Tree, running: Tree, x: Any, y: Any) -> Any:
            norm = Norms(running)
            q = jax.nn.log_softmax(logits(net.name, iter(p), x, norm))
            return -jnp.take_along_axis(q, y[:, None], 1).mean(), norm.new

        def step(state: Tree, images: Any, labels: Any, index: Any) -> Any:
            p, running = state
            picked = images.at[index].get(mode="promise_in_bounds")
            x = picked.astype(jnp.float32).reshape(-1, *shape) * np.float32(1 / 255)
            y = labels.at[index].get(mode="promise_in_bounds")
            (value, running), g = jax.value_and_grad(loss, has_aux=True)(p, running, x, y)
            return ([a - net.lr * b for a, b in zip(p, g, strict=True)], running), value

        self.step = jax.jit(step, donate_argnums=0)

    def train(self, first: int, steps: int) -> list[float]:
        """Steps from step `first` on; the loss of each."""
        values = []
        for order in orders(len(self.images), self.batch, first, steps):
            self.state, value = self.step(self.state, self.images, self.labels, order.astype(np.int32))
            values.append(value)
        return [float(value) for value in values]


current: list[Engine] = []


def start(net: str, batch: int, variant: str, threads: int) -> str:
    """Make the engine ready; return its version."""
    current[:] = [Engine(NETS[net], batch)]
    return jax.__version__


def train(first: int, steps: int) -> tuple[float, list[float]]:
    """(seconds, losses)"""
    began = time.perf_counter()
    losses = current[0].train(first, steps)
    return time.perf_counter() - began, losses
