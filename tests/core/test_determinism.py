"""Same seed, same machine, same threads: the same bits. (Other instruction sets: tests/kernels/test_masked.py.)"""

import numpy as np

from scratchnet import Adam, BatchNorm2d, Conv2d, Dense, Dropout, Flatten, MaxPool2d, Network, ReLU, SoftmaxCrossEntropy

LAYERS = (
    *(Conv2d(8, 3, padding="same"), BatchNorm2d(), ReLU(), MaxPool2d(2)),
    *(Flatten(), Dropout(0.3), Dense(32), ReLU(), Dense(10)),
)


def train(steps, seed=0):
    """Parameters, buffers and losses of a short run that touches every kind of kernel."""
    rng = np.random.default_rng(5)
    net = Network(LAYERS, (1, 28, 28), seed=seed)
    loss, opt = SoftmaxCrossEntropy(), Adam(1e-3)
    values = []
    for _ in range(steps):
        x, y = rng.random((65, 1, 28, 28), np.float32), rng.integers(0, 10, 65)
        logits, tape = net.forward(x, training=True)
        value, dlogits = loss(logits, y, tape)
        net.zero_grad()
        net.backward(dlogits, tape)
        opt.step(net)
        values.append(float(value))
    return net.parameters.flat.tobytes(), net.buffers.flat.tobytes(), values


def test_same_seed_same_bits():
    assert train(4) == train(4)
    assert train(2, seed=1)[0] != train(2, seed=2)[0]
