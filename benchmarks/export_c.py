"""MNIST networks in C: what they classify, how far their logits are from the engine's, and how fast they are.

    SCRATCHNET_DATA=FOLDER python benchmarks/export_c.py [--samples 10000] [--compiler gcc] [--flags=-O3]

An MLP (784-128-10) and a CNN are trained for an epoch, written as C and compiled. All 10,000 test images are classified
by both; images a second are those of scratchnet_predict in a loop in C, in one thread, the best of five rounds.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from scratchnet import SGD, Conv2d, Dense, Flatten, MaxPool2d, Network, ReLU, SoftmaxCrossEntropy
from scratchnet.data import Batches, Split, load
from scratchnet.export import c

MODELS = {
    "mlp": [Flatten(), Dense(128), ReLU(), Dense(10)],
    "cnn": [
        *(Conv2d(16, 3, padding="same"), ReLU(), MaxPool2d(2)),  # (1, 28, 28) -> (16, 14, 14)
        *(Conv2d(32, 3, padding="same"), ReLU(), MaxPool2d(2)),  # (16, 14, 14) -> (32, 7, 7)
        *(Flatten(), Dense(128), ReLU(), Dense(10)),
    ],
}
DRIVER = """
#include <time.h>
void classify(const float *x, int n, int size, int *label);
double seconds(const float *x, int n, int size, int *label);
void classify(const float *x, int n, int size, int *label)
{
    for (int i = 0; i < n; i++)
        label[i] = scratchnet_predict(x + (long)i * size);
}
double seconds(const float *x, int n, int size, int *label)
{
    clock_t start = clock();
    classify(x, n, size, label);
    return (double)(clock() - start) / CLOCKS_PER_SEC;
}
"""


def trained(layers: list, train: Split, samples: int) -> Network:
    """An epoch of plain SGD."""
    net = Network(layers, (1, 28, 28), seed=0)
    loss, opt = SoftmaxCrossEntropy(), SGD(lr=0.1)
    for x, y in Batches(Split("train", train.x[:samples], train.y[:samples]), 64).epoch(0):
        logits, tape = net.forward(x, training=True)
        _, dlogits = loss(logits, y, tape)
        net.zero_grad()
        net.backward(dlogits, tape)
        opt.step(net)
    return net


def compiled(net: Network, folder: Path, compiler: str, flags: list[str]) -> ctypes.CDLL:
    """The network's C with a loop around it, as a library."""
    (folder / "model.c").write_text(c(net) + DRIVER)
    strict = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    command = [compiler, *strict, *flags, "-shared", "-fPIC", "model.c", "-o", "model.so", "-lm"]
    subprocess.run(command, cwd=folder, check=True)
    library = ctypes.CDLL(str(folder / "model.so"))
    library.seconds.restype = ctypes.c_double
    return library


def compare(name: str, net: Network, test: Split, compiler: str, flags: list[str]) -> None:
    """One line of figures."""
    x = (test.x.reshape(-1, 1, 28, 28) * np.float32(1 / 255)).astype(np.float32)
    wanted = np.concatenate([net.predict(x[start : start + 1000]) for start in range(0, len(x), 1000)])
    logits, label = np.empty_like(wanted), np.empty(len(x), np.int32)
    pointer = lambda a: a.ctypes.data_as(ctypes.c_void_p)  # noqa: E731
    with tempfile.TemporaryDirectory() as folder:
        library = compiled(net, Path(folder), compiler, flags)
        for i in range(len(x)):
            library.scratchnet_logits(pointer(x[i]), pointer(logits[i]))
        seconds = min(library.seconds(pointer(x), len(x), 784, pointer(label)) for _ in range(5))
    off = (np.abs(logits - wanted).max(1) / np.abs(wanted).max(1)).max()
    same = int((label == wanted.argmax(1)).sum())
    right = (wanted.argmax(1) == test.y).mean()
    print(
        f"{name}: {same:,} of {len(x):,} classes are the engine's ({right:.2%} right); logits differ by at most "
        f"{off:.1e} of the largest; {len(x) / seconds:,.0f} images/s ({compiler} {' '.join(flags)}, one thread)"
    )


def main() -> None:
    """Train, write, compile, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=10_000, help="training images")
    parser.add_argument("--compiler", default="gcc")
    parser.add_argument("--flags", default="-O3")
    o = parser.parse_args()
    data = load("mnist", Path(os.environ["SCRATCHNET_DATA"]) / "mnist")
    for name, layers in MODELS.items():
        compare(name, trained(layers, data.train, o.samples), data.test, o.compiler, o.flags.split())


if __name__ == "__main__":
    main()
