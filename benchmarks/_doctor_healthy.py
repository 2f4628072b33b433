"""Healthy runs: the recipes that faults start from, and settings that are unusual but fine."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from _doctor_base import Wants, draw_base
from _doctor_data import FLAT, PICTURES, Rng
from _doctor_faults_loss import penalty
from _doctor_loop import run
from _doctor_setup import Setup, log_uniform, map_layers

from scratchnet import SGD, Network, SoftmaxCrossEntropy
from scratchnet.core import GlorotNormal, HeNormal, Orthogonal, Zeros
from scratchnet.layers import Conv2d, Dense, Dropout
from scratchnet.optim import Adam, AdamW, Cosine, OneCycle, RMSprop, StepDecay, Warmup

WIDE = Wants(
    tasks=(*PICTURES, *FLAT, *FLAT),
    nets=("mlp", "mlp", "cnn", "cnn", "deep", "residual", "linear"),
    norms=("", "", "", "batch", "other"),
    dropouts=(0.0, 0.0, 0.0, 0.1, 0.25, 0.5),
    samples=(300, 4000),
    steps=(250, 1200),
    batches=(4, 8, 16, 32, 50, 64, 100, 128, 256),
    widths=(8, 16, 24, 32, 48, 64, 100, 128, 200, 256),
)
Change = Callable[[Setup, Rng], str]


def _label_noise(s: Setup, rng: Rng) -> str:
    """A few labels are wrong, everywhere."""
    share = rng.uniform(0.01, 0.06)
    for split in s.task.splits:
        y = s.task.splits[split].y
        s.task.change(split, y=np.where(rng.random(len(y)) < share, rng.integers(s.task.classes, size=len(y)), y))
    return f"{share:.1%} of labels wrong"


def _mild_imbalance(s: Setup, rng: Rng) -> str:
    """Classes differ in size by up to four."""
    keep = np.exp(rng.uniform(-math.log(4), 0, s.task.classes))
    for split, part in list(s.task.splits.items()):
        rows = np.flatnonzero(rng.random(len(part)) < keep[part.y])
        s.task.change(split, x=part.x[rows], y=part.y[rows])
    return "mild imbalance"


def _schedule(s: Setup, rng: Rng) -> str:
    """Cosine, one cycle, warm-up, steps."""
    lr, steps = s.optimizer.lr, s.steps
    made = (
        Cosine(lr, steps=steps),
        OneCycle(2 * lr, steps=steps),
        Warmup(Cosine(lr, steps=steps), steps=max(1, steps // 10)),
        StepDecay(lr, every=max(1, round(steps * rng.uniform(0.3, 0.6)))),
    )[int(rng.integers(4))]
    s.schedule = made
    return type(made).__name__


def _one_by_one(s: Setup, rng: Rng) -> str:
    """Batch 1, with a rate to match."""
    part = s.task.train
    n = min(len(part), 500)
    s.task.change("train", x=part.x[:n], y=part.y[:n])
    s.with_lr(1 / math.sqrt(s.batch_size))
    s.batch_size, s.epochs = 1, 3
    return "batch 1"


def _full_batch(s: Setup, rng: Rng) -> str:
    """Every step sees all samples."""
    s.batch_size, s.epochs = len(s.task.train), int(rng.integers(80, 200))
    return "full batch"


def _one_epoch(s: Setup, rng: Rng) -> str:
    """One pass, small batches."""
    s.epochs, s.batch_size = 1, int(rng.choice((8, 16)))
    return "one epoch"


def _start(s: Setup, rng: Rng) -> str:
    """Another initialiser that serves, or a head of zeros."""
    init = (Orthogonal(math.sqrt(2)), GlorotNormal(), HeNormal(gain=1.0))[int(rng.integers(3))]
    head = s.layers[-1]
    s.layers = map_layers(s.layers, lambda x: replace(x, init=init) if isinstance(x, Dense | Conv2d) else x)
    if isinstance(head, Dense):
        s.layers[-1] = replace(head, init=Zeros() if rng.random() < 0.4 else init)
    return f"{init}, head {getattr(s.layers[-1], 'init', '')}"


def _settings(s: Setup, rng: Rng) -> str:
    """Other momenta, other decays."""
    lr, o = s.optimizer.lr, s.optimizer
    if isinstance(o, AdamW):
        s.optimizer = AdamW(lr, beta2=float(rng.choice((0.95, 0.99))), weight_decay=float(rng.choice((0.0, 0.05, 0.3))))
    elif isinstance(o, Adam):
        s.optimizer = Adam(lr, beta1=float(rng.choice((0.5, 0.8, 0.95))), beta2=0.99)
    elif isinstance(o, RMSprop):
        s.optimizer = RMSprop(lr / 3, momentum=0.9, centered=bool(rng.random() < 0.5))
    elif isinstance(o, SGD) and o.momentum:
        s.optimizer = SGD(lr / 2, momentum=0.95)
    else:
        s.optimizer = SGD(lr, weight_decay=log_uniform(rng, 1e-4, 1e-3))
    return repr(s.optimizer)


def _resumed(s: Setup, rng: Rng) -> str:
    """It goes on from weights that were trained before."""
    before = s.copy()
    before.epochs = max(1, s.epochs // 5)
    kept = run(before).weights

    def load(net: Network) -> None:
        names = net.parameters.views  # by position: another oddity may have put a Flatten in front
        net.parameters.load(dict(zip(names, kept.values(), strict=True)))

    s.at_start.append(load)
    s.seed += 1
    return f"after {before.epochs} epochs"


def _more_dropout(s: Setup, rng: Rng) -> str:
    """0.5 to 0.65."""
    rate = float(rng.uniform(0.5, 0.65))
    head = s.layers[-1]
    s.layers = [*(x for x in s.layers[:-1] if not isinstance(x, Dropout)), Dropout(rate), head]
    return f"dropout {rate:.2f}"


def _set(what: str, **fields: object) -> Change:
    def change(s: Setup, rng: Rng) -> str:
        for name, value in fields.items():
            setattr(s, name, value)
        return what

    return change


def _uneven_features(s: Setup, rng: Rng) -> str:
    """Columns whose deviations differ, all within reason."""
    if s.task.pictures:
        return ""
    width = s.task.train.x.shape[1]
    factor = np.exp(rng.normal(0, 0.4, width)).astype(np.float32)
    shift = rng.normal(0, 0.5, width).astype(np.float32)
    for part in [*s.task.splits.values(), s.task.truth]:
        part.x[...] = part.x * factor + shift
    return "uneven features"


def _class_weights(s: Setup, rng: Rng) -> str:
    """Classes count somewhat differently."""
    s.loss = SoftmaxCrossEntropy(class_weights=tuple(float(w) for w in rng.uniform(0.5, 1.5, s.task.classes)))
    return "class weights"


def _small_penalty(s: Setup, rng: Rng) -> str:
    """A penalty in the loop, beside the loss."""
    penalty(s, log_uniform(rng, 1e-5, 5e-4))
    return "a small penalty"


def _noisy_inputs(s: Setup, rng: Rng) -> str:
    """Batches are augmented."""
    size, noise = rng.uniform(0.02, 0.15), np.random.default_rng(int(rng.integers(1 << 30)))
    s.on_batch.append(lambda step, x, y: (x + noise.normal(0, size, x.shape).astype(x.dtype), y))
    return f"noise {size:.2f}"


UNUSUAL: tuple[Change, ...] = (
    *(_label_noise, _mild_imbalance, _schedule, _schedule, _one_by_one, _full_batch, _one_epoch, _start, _start),
    *(_settings, _settings, _resumed, _more_dropout, _uneven_features, _class_weights, _small_penalty, _noisy_inputs),
    _set("label smoothing", loss=SoftmaxCrossEntropy(label_smoothing=0.1)),
    _set("clipped", clip=1.0),
    _set("float64", dtype="float64"),
    _set("in the files' order, which is random", shuffle=False),
    _set("drop_last", drop_last=True),
    _set("nothing held out", measures={}),
    _set("test only", measures={"test": "test"}),
    lambda s, rng: s.with_lr(factor := log_uniform(rng, 0.3, 3)) or f"lr x {factor:.1f}",
)


def draw_healthy(rng: Rng) -> Setup:
    """A recipe with up to three unusual settings."""
    s = draw_base(rng, WIDE)
    for i in rng.permutation(len(UNUSUAL))[: int(rng.integers(0, 4))]:
        s.what.append(UNUSUAL[i](s, rng))
    return s
