"""No op escapes: each is reached by a layer, a loss, an optimizer, the clipping or the loader, all of them checked."""

import numpy as np

import scratchnet.optim as optim
from scratchnet import Dense, Network, layers
from scratchnet.check.losses import draw_targets
from scratchnet.core import LAYERS, LOSSES, RandomDraw
from scratchnet.core.run import Pool, Run
from scratchnet.data import Augment, Batches, Split
from scratchnet_kernels import OPS, get_backend
from scratchnet_kernels.backend import KERNELS


class Spy:
    """An op table that notes what is asked of it."""

    def __init__(self, table, seen):
        self.table, self.seen = table, seen

    def __getattr__(self, name):
        self.seen.add(name)
        return getattr(self.table, name)


def ops_of_layers(draw, seen, classes):
    for cls in classes:
        for _ in range(40):
            case = cls.cases(draw)
            net = Network([case.layer], case.in_shape, backend="reference")
            for training in (True, False):
                plan = net.record(3, training=training, need_dx=True)
                seen.update(call.op for call in plan.forward + plan.backward)


def ops_of_losses(draw, rng, seen):
    spy = Spy(get_backend("reference").table(), seen)
    for cls in LOSSES.values():
        for _ in range(20):
            case = cls.cases(draw)
            logits = rng.normal(size=case.shape)
            targets = case.loss.admit(logits, draw_targets(case, logits, rng))
            run = Run(Pool(), training=True, count=np.zeros(1, np.int64))
            _, saved = case.loss.forward(spy, logits, targets, run)
            case.loss.backward(spy, saved, np.asarray(1.0), run)


def ops_of_training(seen):
    net = Network([Dense(2)], (3,), backend="reference")
    net.k = Spy(net.k, seen)
    for optimizer in (optim.SGD(0.1, 0.9), optim.Adam(), optim.AdamW(), optim.RMSprop()):
        optimizer.step(net)
    optim.clip_factor(net, 1.0)
    split = Split("train", np.zeros((2, 4, 4), np.uint8), np.zeros(2, np.int64))
    for augment in (None, Augment()):
        batches = Batches(split, 2, backend="reference", augment=augment)
        batches._k = Spy(batches._k, seen)
        list(batches.epoch(0))


def test_every_op_is_reached():
    seen, rng = set(), np.random.default_rng(0)
    draw = RandomDraw(rng)
    ops_of_layers(draw, seen, LAYERS.values())
    ops_of_losses(draw, rng, seen)
    ops_of_training(seen)
    assert seen == OPS.keys()


def test_what_is_exported_has_cpu_kernels():
    """A layer of one's own may run on the reference until it is named in scratchnet/layers/__init__.py."""
    seen, rng = set(), np.random.default_rng(0)
    draw = RandomDraw(rng)
    ops_of_layers(draw, seen, [LAYERS[name] for name in layers.__all__ if name in LAYERS])
    ops_of_losses(draw, rng, seen)
    ops_of_training(seen)
    get_backend("cpu")
    assert seen - KERNELS["cpu"].keys() == set()
