"""An epoch of the MNIST MLP in scratchnet and in plain NumPy: the same net, data, batch size and threads.

    python benchmarks/mlp_epoch.py [--batch-size 128] [--rounds 5]

784-128-10, ReLU, softmax cross-entropy, plain SGD, 60,000 random uint8 images: gather, scale, forward, backward, step.
Each engine runs in a process of its own, in turns; of each process the median of its epochs counts, after one that
warms up. Printed are seconds an epoch and the ratio, as medians over the rounds with their range.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

N, EPOCHS, LR = 60_000, 3, 0.1


def scratchnet_epoch(images: np.ndarray, labels: np.ndarray, batch_size: int) -> Callable[[int], float]:
    """A function that trains for an epoch and returns the mean loss."""
    from scratchnet import SGD, Dense, Network, ReLU, SoftmaxCrossEntropy
    from scratchnet.data import Batches, Split

    batches = Batches(Split("train", images.reshape(-1, 28, 28), labels), batch_size, flatten=True)
    net = Network([Dense(128), ReLU(), Dense(10)], (784,))
    loss, opt = SoftmaxCrossEntropy(), SGD(LR)

    def epoch(number: int) -> float:
        total = 0.0
        for x, y in batches.epoch(number):
            logits, tape = net.forward(x, training=True)
            value, dlogits = loss(logits, y, tape)
            net.zero_grad()
            net.backward(dlogits, tape)
            opt.step(net)
            total += float(value) * len(y)
        return total / N

    return epoch


def numpy_epoch(images: np.ndarray, labels: np.ndarray, batch_size: int) -> Callable[[int], float]:
    """The loop that one writes in NumPy when one knows how: float32, no copies that can be avoided."""
    rng = np.random.default_rng(0)
    W1 = (rng.normal(size=(128, 784)) * np.sqrt(2 / 784)).astype(np.float32)
    W2 = (rng.normal(size=(10, 128)) * np.sqrt(2 / 128)).astype(np.float32)
    b1, b2 = np.zeros(128, np.float32), np.zeros(10, np.float32)

    def epoch(number: int) -> float:
        nonlocal W1, b1, W2, b2
        total, order = 0.0, np.random.default_rng(number).permutation(N)
        for start in range(0, N, batch_size):
            index = order[start : start + batch_size]
            x = images[index] * np.float32(1 / 255)
            rows = np.arange(len(x))
            h = x @ W1.T + b1
            np.maximum(h, 0, out=h)
            z = h @ W2.T + b2
            z -= z.max(1, keepdims=True)
            q = np.exp(z)
            q /= q.sum(1, keepdims=True)
            y = labels[index]
            total -= float(np.log(q[rows, y]).sum())
            q[rows, y] -= 1
            q /= len(x)
            dh = q @ W2
            dh *= h > 0
            W2 -= LR * (q.T @ h)
            b2 -= LR * q.sum(0)
            W1 -= LR * (dh.T @ x)
            b1 -= LR * dh.sum(0)
        return total / N

    return epoch


ENGINES = {"scratchnet": scratchnet_epoch, "numpy": numpy_epoch}


def run(engine: str, batch_size: int) -> dict[str, object]:
    """Seconds of each epoch but the first, and the losses."""
    rng = np.random.default_rng(0)
    prototypes = rng.integers(0, 256, (10, 784))
    labels = rng.integers(0, 10, N)
    images = np.clip(prototypes[labels] + rng.integers(-200, 200, (N, 784)), 0, 255).astype(np.uint8)
    epoch = ENGINES[engine](images, labels, batch_size)
    seconds, losses = [], []
    for number in range(EPOCHS + 1):
        began = time.perf_counter()
        losses.append(epoch(number))
        seconds.append(time.perf_counter() - began)
    return {"seconds": statistics.median(seconds[1:]), "losses": losses}


def main() -> None:
    """Take turns and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--engine", choices=ENGINES, help=argparse.SUPPRESS)
    o = parser.parse_args()
    if o.engine:
        print(json.dumps(run(o.engine, o.batch_size)))
        return
    seconds: dict[str, list[float]] = {engine: [] for engine in ENGINES}
    for _ in range(o.rounds):
        for engine in ENGINES:
            command = [sys.executable, __file__, "--engine", engine, "--batch-size", str(o.batch_size)]
            done = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            seconds[engine].append(done["seconds"])
    for engine, times in seconds.items():
        print(f"{engine:<12}{statistics.median(times):.3f} s an epoch  ({min(times):.3f} .. {max(times):.3f})")
    ratios = [a / b for a, b in zip(seconds["scratchnet"], seconds["numpy"], strict=True)]
    print(f"{'ratio':<12}{statistics.median(ratios):.2f}  ({min(ratios):.2f} .. {max(ratios):.2f})")


if __name__ == "__main__":
    main()
