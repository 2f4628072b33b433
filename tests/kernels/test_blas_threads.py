"""The threads of the caller's own BLAS are the caller's: nothing that scratchnet does changes their number."""

import json
import os
import subprocess
import sys

import pytest

CODE = """
import json
import sys

import numpy as np
import scipy.linalg  # loads the BLAS that compiled code could call, so that it is looked at too
from threadpoolctl import threadpool_info, threadpool_limits

given = int(sys.argv[1])
if given:
    threadpool_limits(given, "blas")
seen = {}


def look(when):
    pools = {pool["filepath"]: pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
    assert pools, "there is no BLAS to look at"
    seen[when] = sorted(pools.items())


look("before")
from scratchnet import SGD, Conv2d, Dense, Flatten, MaxPool2d, Network, ReLU, SoftmaxCrossEntropy
from scratchnet.data import Batches, Split

look("after import")
rng = np.random.default_rng(0)
split = Split("train", rng.integers(0, 256, (96, 1, 28, 28), np.uint8), rng.integers(0, 10, 96))
block = [Conv2d(4, 3, padding=1), ReLU(), MaxPool2d(2)] if sys.argv[2] == "cnn" else []
net = Network([*block, Flatten(), Dense(64), ReLU(), Dense(10)], split.sample_shape)
loss, opt = SoftmaxCrossEntropy(), SGD(0.1)
look("after the network")
for number, (x, y) in enumerate(Batches(split, 32).epoch(0)):
    logits, tape = net.forward(x, training=True)
    look(f"within step {number}")
    value, dlogits = loss(logits, y, tape)
    net.zero_grad()
    net.backward(dlogits, tape)
    opt.step(net)
    look(f"after step {number}")
step = net.compile(loss, opt, batch_size=32)
assert step.compiled == (not block), step.reason
look("after compile")
step.epoch(Batches(split, 32), 1)
look("after compiled steps")
net.predict(split.x.astype(np.float32))
look("after predict")
print(json.dumps(seen))
"""


@pytest.mark.parametrize("net", ["mlp", "cnn"])
@pytest.mark.parametrize("given", [0, 1, 2])  # 0: as many as there are by default
def test_training_leaves_the_callers_blas_as_it_is(given, net):
    env = {n: v for n, v in os.environ.items() if not n.endswith("_NUM_THREADS") or n.startswith("NUMBA")}
    env["PYTHONPATH"] = os.pathsep.join(sys.path)
    command = [sys.executable, "-c", CODE, str(given), net]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert len(seen) == 12
    for when, pools in seen.items():
        assert pools == seen["before"], when
    if given:
        assert {threads for _, threads in seen["before"]} == {given}
