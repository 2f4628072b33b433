"""Histories made by hand: a healthy run of an MLP on 6,400 pictures, and what a test changes about it."""

import math
from dataclasses import replace

import numpy as np

from scratchnet.train.history.history import History
from scratchnet.train.history.records import (
    Epoch,
    InputLook,
    LayerLook,
    Look,
    Losses,
    Measured,
    OutputLook,
    ParameterLook,
    SplitFacts,
)

C, TRAIN, VAL, BATCH, STEPS = 10, 6400, 1000, 32, 600
LOOKS = (1, 2, 3, 5, 10, 20, 50, 100, 200, 300, 400, 500, 600)
NOTHING = math.log(C)
# rates in training, and (loss, rate) of validation, of a network that learned, and of one that did not
KNOWN = {"rates": (0.9, 0.97, 0.99), "of_val": [(0.3, 0.9), (0.15, 0.95), (0.1, 0.97)]}
POOR = {"rates": (0.3, 0.33, 0.34), "of_val": [(1.75, 0.3), (1.72, 0.33), (1.71, 0.34)]}


def learns(step):
    """From ln 10 to about 0.25."""
    return 0.25 + (NOTHING - 0.25) * math.exp(-step / 80)


def stuck(step):
    return NOTHING


def matrix(counts, rate):
    """A confusion matrix with so many samples a class, `rate` of them right and the others spread evenly."""
    m = np.zeros((len(counts), len(counts)), int)
    for c, n in enumerate(counts):
        right = round(n * rate)
        wrong = np.full(len(counts) - 1, (n - right) // (len(counts) - 1))
        wrong[: (n - right) - wrong.sum()] += 1
        m[c] = np.insert(wrong, c, right)
    return tuple(tuple(int(x) for x in row) for row in m)


def measured(counts, rate, loss):
    m = matrix(counts, rate)
    right, total = sum(m[c][c] for c in range(len(counts))), sum(counts)
    return Measured(loss=loss, accuracy=right / total, correct=right, total=total, matrix=m)


def even(n, classes=C):
    return tuple(n // classes + (c < n % classes) for c in range(classes))


def facts(split="train", **changes):
    n = TRAIN if split == "train" else VAL
    known = SplitFacts(
        split=split, samples=n, looked_at=n, shape=(784,), features=784, minimum=0.0, maximum=1.0, mean=0.13, std=0.31,
        norm=9.2, constant=60, nonfinite=0, classes=C, label_minimum=0, label_maximum=C - 1, class_counts=even(n),
        neighbours_alike=0.1 if split == "train" else None, duplicates=0, agreement=0.93, chance=0.1, relabelled=0.93,
        agreed_on=1000,
    )  # fmt: skip
    return replace(known, **changes)


def weight(shape, step, *, moved=2e-3, std=None, loss=1.0, **changes):
    """A weight (out, in, ...): drawn by He's rule and growing a little."""
    size, fan_in = math.prod(shape), math.prod(shape[1:])
    std = math.sqrt(2 / fan_in) if std is None else std
    norm = std * math.sqrt(size) * (1 + 0.0003 * step)
    known = ParameterLook(
        size=size, fan_in=fan_in, std=std, gradient=0.3 * loss, weight=norm, update=moved * norm, fresh=0.3 * loss,
        ratio=1.0, cosine=1.0, input=9.0, error=0.1, alignment=0.4, alike=0.0, frozen=False, nonfinite=0,
    )  # fmt: skip
    return replace(known, **changes)


def bias(size, **changes):
    known = ParameterLook(size=size, std=0.0, gradient=0.05, weight=0.1, update=2e-4, fresh=0.05, ratio=1.0, cosine=1.0)
    return replace(known, **changes)


def layer(path, source, **changes):
    known = LayerLook(path=path, layer=source, kind=source.partition("(")[0], mean=0.2, std=1.0, zero=0.0, dead=0.0,
                      gradient=0.1, gain=0.9, forward=0, backward=0)  # fmt: skip
    return replace(known, **changes)


def mlp_layers(step):
    return (
        layer("0", "Dense(128)", units=128),
        layer("1", "ReLU()", units=128, zero=0.5, dead=0.02, never=0.01),
        layer("2", "Dense(10)", units=10, gain=None),
    )


def look(step, loss, *, lr=0.1, parameters=None, layers=None, inputs=None, outputs=None, **changes):
    right = round(BATCH * max(0.1, 1 - loss / NOTHING))
    known = Look(
        step=step, epoch=(step - 1) // (STEPS // 3) + 1, lr=lr, loss=loss, batch=BATCH, training=True,
        class_counts=even(BATCH), outside=0,
        inputs=replace(InputLook(minimum=0.0, maximum=1.0, mean=0.13, std=0.31, norm=9.2, constant=200, features=784,
                                 nonfinite=0), **(inputs or {})),
        outputs=replace(OutputLook(classes=C, mean=0.0, std=0.8, entropy=2.0, top_class=1, top_share=0.2, saturated=0.0,
                                   normalised=False, correct=right, loss=loss, error=0.9, nonfinite=0),
                        **(outputs or {})),
        parameters=parameters or {"0.W": weight((128, 784), step, loss=loss), "0.b": bias(128),
                                  "2.W": weight((10, 128), step, loss=loss), "2.b": bias(10)},
        layers=layers or mlp_layers(step),
    )  # fmt: skip
    return replace(known, **changes)


def run(course=learns, *, noise=0.05, lr=0.1, change=None, data=None, val=None, rates=(0.8, 0.9, 0.94), of_val=None,
        epoch=None, config=None, steps=STEPS, seed=0):  # fmt: skip
    """The history. `course(step)` is the loss; `change(step, loss)` what `look` takes besides, or a whole look.

    `data`, `val`: changes of the splits' facts; `rates`: training accuracy by epoch; `of_val`: (loss, accuracy) of
    validation by epoch; `epoch`: changes of every epoch.
    """
    rng = np.random.default_rng(seed)
    losses = [course(s) * math.exp(noise * rng.normal()) if s > 1 else course(1) for s in range(1, steps + 1)]
    settings = {"layers": ["Dense(128)", "ReLU()", "Dense(10)"], "loss": "SoftmaxCrossEntropy()",
                "optimizer": f"SGD(lr={lr}, momentum=0.9)", "batch_size": BATCH}  # fmt: skip
    history = History(config=settings | (config or {}))
    history.add(facts(**(data or {})))
    history.add(facts("val", **(val or {})))
    history.add(Losses(first=1, values=tuple(losses), lr=(lr,) * steps))
    for step in LOOKS:
        if step <= steps:
            extra = (change or (lambda step, loss: {}))(step, losses[step - 1])
            history.add(extra if isinstance(extra, Look) else look(step, losses[step - 1], **({"lr": lr} | extra)))
    of_val = of_val or [(learns(200 * (e + 1)) + 0.05, r - 0.01) for e, r in enumerate(rates)]
    for number, (rate, (loss, right)) in enumerate(zip(rates, of_val, strict=True), 1):
        part = losses[(number - 1) * steps // len(rates) : number * steps // len(rates)]
        splits = {"train": measured(history.data["train"].class_counts, rate, float(np.mean(part))),
                  "val": measured(history.data["val"].class_counts, right, loss)}  # fmt: skip
        known = Epoch(epoch=number, batches=TRAIN // BATCH, samples=TRAIN, forwards=TRAIN // BATCH, splits=splits)
        history.add(replace(known, **(epoch or {})))
    return history
