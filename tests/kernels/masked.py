"""What `test_masked.py` runs on another instruction set: kernels against the reference, and a compiled step.

Run as a program it prints the width of a vector, the instruction set that `scratchnet info` would name, and the largest
relative difference of each part. Nothing here is timed.
"""

import json
import sys

import numpy as np

from scratchnet import SGD, BatchNorm2d, Conv2d, Dense, MaxPool2d, Network, ReLU, SoftmaxCrossEntropy
from scratchnet_kernels import machine


def difference(layers, shape, n=33):
    """Of y, dx and all gradients between the cpu backend in float32 and the reference in float64."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, *shape)).astype(np.float32)
    results, dy = [], None
    for backend, dtype in (("cpu", "float32"), ("reference", "float64")):
        net = Network(layers, shape, backend=backend, dtype=dtype)
        y, tape = net.forward(x.astype(dtype), training=True)
        dy = rng.normal(size=y.shape).astype(np.float32) if dy is None else dy
        y = y.copy()
        dx = net.backward(dy.astype(dtype), tape, need_dx=True)
        results.append((y, dx.copy(), *net.gradients.snapshot().values()))
    return max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in zip(*results, strict=True))


def step_difference():
    """Of the parameters after three compiled steps and three through the layers of the reference."""
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(48, 37)).astype(np.float32), rng.integers(0, 5, 48)
    nets = []
    for backend in ("cpu", "reference"):
        net = Network([Dense(21), ReLU(), Dense(5)], (37,), backend=backend)
        step = net.compile(SoftmaxCrossEntropy(), SGD(0.1, momentum=0.9), batch_size=16)
        assert step.compiled == (backend == "cpu"), step.reason
        step.run(x, t)
        nets.append(net.parameters.flat)
    return float(np.abs(nets[0] - nets[1]).max() / np.abs(nets[1]).max())


PARTS = {
    "dense": lambda: difference([Dense(19)], (41,)),
    "conv": lambda: difference([Conv2d(7, 3, padding=1, bias=False), BatchNorm2d()], (3, 9, 11)),
    "first block": lambda: difference([Conv2d(6, 3, padding=1), ReLU(), MaxPool2d(2)], (1, 12, 10)),
    "block": lambda: difference([Conv2d(9, 3, padding=1), ReLU(), MaxPool2d(2)], (5, 10, 14)),
    "step": step_difference,
}


if __name__ == "__main__":
    from scratchnet_kernels.cpu import simd

    found = {name: PARTS[name]() for name in sys.argv[1:]}
    print(json.dumps({"bytes": simd.VECTOR_BYTES, "set": machine.instruction_set()[0], "differences": found}))
