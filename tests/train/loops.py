"""A plain training loop, with a monitor or without one, for the tests of what watches it."""

import numpy as np

from scratchnet import SGD, Dense, Network, ReLU, SoftmaxCrossEntropy
from scratchnet.train import Monitor


def batch(shape=(6,), n=24, classes=3, seed=0, dtype="float32"):
    """Random samples and labels."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, *shape)).astype(dtype), rng.integers(0, classes, n)


def net_of(*layers, shape=(6,), **settings):
    """A small network: these layers, or two."""
    return Network(layers or [Dense(8), ReLU(), Dense(3)], shape, **settings)


def train(net, batches, *, loss=None, optimizer=None, every=1, watch=True, training=True, epoch=True, **more):
    """Make a step on each batch; the monitor (None without one) and the losses."""
    loss, optimizer = loss or SoftmaxCrossEntropy(), optimizer or SGD(0.1)
    monitor = Monitor(net, loss, optimizer, every=every, **more) if watch else None
    losses = []
    for x, y in batches:
        logits, tape = net.forward(x, training=training)
        value, dlogits = loss(logits, y, tape)
        net.zero_grad()
        net.backward(dlogits, tape)
        if monitor is None:
            optimizer.step(net)
        else:
            with monitor.step(x, y, logits, value):
                optimizer.step(net)
        losses.append(float(value))
    if monitor is not None and epoch:
        monitor.epoch(1)
    return monitor, losses


def looked(layers, x, y, **settings):
    """The look at the first step of a network of these layers, and the network before that step."""
    made = settings.pop("net", {})
    shape = made.pop("input_shape", x.shape[1:] if isinstance(x, np.ndarray) else None)
    net, before = (Network(layers, shape, **made) for _ in range(2))
    monitor, _ = train(net, [(x, y)], **settings)
    return monitor.history.looks[0], before
