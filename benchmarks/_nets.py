"""The nets of the benchmarks: shapes, batch sizes, initial weights, data. Every engine writes them in its own words.

Nothing here imports an engine, so that no library meets another one's settings.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
SEED = 0
KEY = zlib.crc32(b"shuffle")  # of scratchnet.data.Batches, whose order all engines follow
STEPS_COMPARED = 5

# Relative, on each of the first losses. One step in float32 differs by some 1e-7 between two orders of summation; the
# next ones start from weights that differ by as much, and BatchNorm divides by what may be small.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Net:
    """A net by name.

    `parameters` lists shapes in PyTorch's order and layout, which are scratchnet's: "W" is drawn from
    U(-1/√fan_in, 1/√fan_in), "0" begins at zero, "1" at one.
    """

    name: str
    what: str
    shape: tuple[int, ...]  # of a sample
    batches: tuple[int, ...]
    lr: float
    parameters: tuple[tuple[str, tuple[int, ...]], ...]

    def weights(self) -> list[Array]:
        """The initial values, float32."""
        rng = np.random.default_rng(SEED)
        drawn = []
        for kind, shape in self.parameters:
            if kind == "W":
                bound = 1 / np.sqrt(np.prod(shape[1:]))
                drawn.append(rng.uniform(-bound, bound, shape).astype(np.float32))
            else:
                drawn.append(np.full(shape, float(kind), np.float32))
        return drawn


def _dense(*sizes: int) -> list[tuple[str, tuple[int, ...]]]:
    return [part for i, o in pairwise(sizes) for part in (("W", (o, i)), ("0", (o,)))]


def _conv_bn(i: int, o: int, kernel: int, bias: str = "") -> list[tuple[str, tuple[int, ...]]]:
    return [("W", (o, i, kernel, kernel)), *[("0", (o,))] * bool(bias), ("1", (o,)), ("0", (o,))]


CNN = (("W", (16, 1, 3, 3)), ("0", (16,)), ("W", (32, 16, 3, 3)), ("0", (32,)), *_dense(1568, 10))
CNN_BN = (*_conv_bn(3, 32, 3, "bias"), *_conv_bn(32, 64, 3, "bias"), *_dense(4096, 10))
BLOCKS = (*_conv_bn(16, 16, 3), *_conv_bn(16, 16, 3), *_conv_bn(16, 32, 3), *_conv_bn(32, 32, 3), *_conv_bn(16, 32, 1))
LSTM = (("W", (512, 28)), ("W", (512, 128)), ("0", (512,)), ("0", (512,)), *_dense(128, 10))
NORM = (("1", (64,)), ("0", (64,)))
ATTENTION = (*NORM, *_dense(64, 192), *_dense(64, 64), *NORM, *_dense(3072, 10))

GREY, COLOUR = (1, 28, 28), (3, 32, 32)
NETS = {
    net.name: net
    for net in (
        Net("mlp", "784-128-10, ReLU", (784,), (1, 32, 128, 512), 0.1, tuple(_dense(784, 128, 10))),
        Net("deep", "784-4×512-10, ReLU", (784,), (128,), 0.05, tuple(_dense(784, 512, 512, 512, 512, 10))),
        Net("cnn", "conv 16, pool, conv 32, pool, dense", GREY, (32, 64, 256), 0.1, CNN),
        Net("cnn_bn", "conv 32, BN, pool, conv 64, BN, pool, dense, on 3×32×32", COLOUR, (64,), 0.02, CNN_BN),
        Net("resnet", "conv 16, blocks 16 and 32 with BN, on 3×32×32", COLOUR, (64,), 0.02,
            (*_conv_bn(3, 16, 3), *BLOCKS, *_dense(32, 10))),
        Net("lstm", "LSTM 128 over 28 rows of 28, dense", (28, 28), (64,), 0.1, LSTM),
        Net("attention", "residual attention of 4 heads over 48 tokens of 64, LayerNorm, dense", (48, 64), (32,), 0.02,
            ATTENTION),
    )
}  # fmt: skip


def mnist(part: str) -> tuple[Array, Array] | None:
    """(images uint8 (N, 784), labels int64 (N,)) of "train" or "t10k" in $SCRATCHNET_DATA/mnist, or None."""
    folder = Path(os.environ.get("SCRATCHNET_DATA", ""), "mnist")
    found = sorted(folder.glob(f"{part}-*-idx[13]-ubyte*")) if "SCRATCHNET_DATA" in os.environ else []
    if len(found) != 2:
        return None
    content = [gzip.decompress(b) if b[:2] == b"\x1f\x8b" else b for b in (path.read_bytes() for path in found)]
    images = np.frombuffer(content[0], np.uint8, offset=16).reshape(-1, 784).copy()
    return images, np.frombuffer(content[1], np.uint8, offset=8).astype(np.int64)


def data(net: Net) -> tuple[Array, Array, str]:
    """(samples uint8 (N, pixels), labels int64 (N,), where from) for a net: MNIST if there, else random of its shape.

    MNIST is read from $SCRATCHNET_DATA/mnist. A random picture is its class's prototype and noise.
    """
    return _data(int(np.prod(net.shape)), os.environ.get("SCRATCHNET_DATA", ""))


@lru_cache(maxsize=1)  # engines in one process share it
def _data(size: int, _folder: str) -> tuple[Array, Array, str]:
    rng = np.random.default_rng(SEED)
    if size == 784 and (found := mnist("train")):
        return *found, "MNIST"
    n = 60_000 if size == 784 else 20_000
    labels = rng.integers(0, 10, n)
    noise = rng.integers(-100, 100, (n, size), np.int16)
    noise += rng.integers(0, 256, (10, size), np.int16)[labels]
    return noise.clip(0, 255).astype(np.uint8), labels, "random"


def orders(n: int, batch: int, first: int, steps: int) -> Iterator[Array]:
    """The sample numbers, int64 (batch,), of `steps` steps from step `first` on: a new shuffling every epoch."""
    length = n // batch
    order, epoch = np.empty(0, np.int64), -1
    for step in range(first, first + steps):
        if step // length != epoch:
            epoch = step // length
            order = np.arange(n)
            np.random.Generator(np.random.PCG64([SEED, KEY, epoch])).shuffle(order)
        at = step % length * batch
        yield order[at : at + batch]
