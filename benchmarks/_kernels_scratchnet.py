"""Times the ops of scratchnet's cpu backend: those that a layer's plan calls, on the plan's own arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from _kernel_cases import CASES
from _timing import median_seconds

import scratchnet
from scratchnet import SGD, Adam, Network, RMSprop, SoftmaxCrossEntropy
from scratchnet.core.run import Pool, Run
from scratchnet_kernels import OPS, get_backend


def moved(name: str, args: tuple[Any, ...]) -> int:
    """Bytes that a call must read and write: each array once, those it adds to twice. A g that stays is read alone."""
    given = dict(zip(OPS[name].parameters, args, strict=True))
    twice = set(OPS[name].adds) - (set() if given.get("zero", True) else {"g"})
    return sum(a.nbytes * (2 if n in twice else 1) for n, a in given.items() if isinstance(a, np.ndarray))


def figures(k: Any, name: str, args: tuple[Any, ...], seconds: float) -> dict[str, Any]:
    """One op on its arrays. Of a backward that puts out no dx, half of the declared operations count."""
    declared = OPS[name]
    flops = declared.flops(declared.check(args)) if declared.flops else 0
    if name.endswith("_backward") and dict(zip(declared.parameters, args, strict=True)).get("dx", ()) is None:
        flops //= 2
    taken = median_seconds(lambda: getattr(k, name)(*args), seconds)
    return {"op": name, "seconds": taken, "flops": flops, "bytes": moved(name, args)}


def layer(which: int, fuse: bool, seconds: float) -> dict[str, list[dict[str, Any]]]:
    """The ops of a case's forward and of its backward, dx included."""
    case, rng = CASES[which], np.random.default_rng(0)
    options: dict[str, Any] = {"fuse": fuse} if "fuse" in inspect.signature(Network).parameters else {}
    net = Network(case.layers(scratchnet), case.shape, **options)
    plan = net.record(case.batch, need_dx=not case.below)
    shape = (case.batch, *case.shape)
    x = rng.integers(0, case.below, shape) if case.below else rng.normal(size=shape).astype(np.float32)
    dy = rng.normal(size=(case.batch, *net.output_shape)).astype(np.float32)
    given = {"parameters": net.parameters.flat, "gradients": net.gradients.flat, "buffers": net.buffers.flat}
    arena = plan.arena(given | {"x": x, "dlogits": dy, "count": net.count})
    k, found = net.backend.table(), dict[str, list[dict[str, Any]]]()
    for part, calls in (("forward", plan.forward), ("backward", plan.backward)):
        found[part] = [figures(k, c.op, tuple(plan.at(a, arena) for a in c.args), seconds) for c in calls]
    return found


class Spy:
    """Stands for an op table: runs every call and remembers it."""

    def __init__(self, k: Any) -> None:
        self.k, self.calls = k, list[tuple[str, tuple[Any, ...]]]()

    def __getattr__(self, name: str) -> Callable[..., None]:
        def call(*args: Any) -> None:
            self.calls.append((name, args))
            getattr(self.k, name)(*args)

        return call


def beside(which: str, seconds: float) -> dict[str, list[dict[str, Any]]]:
    """Ops that no layer calls: loader, loss, optimizers."""
    k, rng, n = get_backend("cpu").table(), np.random.default_rng(0), 100_000
    spy: Any = Spy(k)
    if which.startswith("gather"):
        images, y = rng.integers(0, 256, (60_000, 1, 28, 28), np.uint8), np.empty((128, 1, 28, 28), np.float32)
        index, scale, shift = rng.integers(0, 60_000, 128), np.ones(1, np.float32), np.zeros(1, np.float32)
        move = rng.integers((-2, -2, 0), (3, 3, 1), (128, 3))
        plain = images.reshape(60_000, 1, -1), index, scale, shift, y.reshape(128, 1, -1)
        found = figures(k, which, plain if which == "gather_scale" else (images, index, move, scale, shift, y), seconds)
        return {"forward": [found | {"bytes": found["bytes"] - images.nbytes + 128 * 784}]}  # 128 pictures are read
    if which == "softmax_cross_entropy":
        loss, run = SoftmaxCrossEntropy(), Run(Pool(), training=True, count=np.zeros(1, np.int64))
        _, saved = loss.forward(spy, rng.normal(size=(128, 10)).astype(np.float32), rng.integers(0, 10, 128), run)
        loss.backward(spy, saved, np.ones((), np.float32), run)
        forward, backward = ([figures(k, op, args, seconds)] for op, args in spy.calls)
        return {"forward": forward, "backward": backward}
    p, g = (rng.normal(size=n).astype(np.float32) for _ in range(2))
    if which == "zero_grad":
        taken = median_seconds(lambda: g.fill(0), seconds)
        return {"forward": [{"op": which, "seconds": taken, "flops": 0, "bytes": g.nbytes}]}
    name, _, zero = which.partition(", ")
    opt = {"sgd": SGD(1e-6), "adam": Adam(1e-6), "rmsprop": RMSprop(1e-6)}[name]
    state = {slot: np.zeros(n, np.float32) for slot in opt.slots}
    opt.update(spy, p, g, state, np.array([opt.lr, 1.0, 1.0, 1.0]), 1.0, 1.0, bool(zero))
    return {"forward": [figures(k, op, args, seconds) for op, args in spy.calls]}
