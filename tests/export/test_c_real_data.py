"""Real MNIST: the C of a trained network agrees with the engine on every test image."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from scratchnet import SGD, Conv2d, Dense, Flatten, MaxPool2d, Network, ReLU, SoftmaxCrossEntropy
from scratchnet.data import Batches, Split, load

from .compiled import apart, library, logits, needs_compiler, predict

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not os.environ.get("SCRATCHNET_DATA"), reason="SCRATCHNET_DATA is not set to a folder of data"),
]
MODELS = {
    "mlp": [Flatten(), Dense(128), ReLU(), Dense(10)],
    "cnn": [Conv2d(8, 3, padding=1), ReLU(), MaxPool2d(2), Conv2d(8, 3), ReLU(), MaxPool2d(2), Flatten(), Dense(10)],
}  # fmt: skip


@needs_compiler
@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_test_image_gets_the_engine_s_class(name, tmp_path):
    data = load("mnist", Path(os.environ["SCRATCHNET_DATA"]) / "mnist")
    net = Network(MODELS[name], (1, 28, 28))
    loss, opt = SoftmaxCrossEntropy(), SGD(lr=0.1)
    for x, y in Batches(Split("train", data.train.x[:2000], data.train.y[:2000]), 32).epoch(0):
        scores, tape = net.forward(x, training=True)
        _, dlogits = loss(scores, y, tape)
        net.zero_grad()
        net.backward(dlogits, tape)
        opt.step(net)
    x = data.test.x.reshape(-1, 1, 28, 28) * np.float32(1 / 255)
    wanted = np.concatenate([net.predict(part) for part in np.split(x, 10)])
    assert (wanted.argmax(1) == data.test.y).mean() > 0.6, "it has learnt, so that the logits are far apart"
    lib = library(tmp_path, {name: net}, "-O3")
    assert apart(logits(lib, name, net, x), wanted) <= 1e-5
    assert predict(lib, name, net, x) == wanted.argmax(1).tolist()
