"""Faults of the data: scale, labels, balance, order, leaks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from _doctor_base import Wants
from _doctor_data import FLAT, PICTURES, Rng
from _doctor_rules import fault, present, slower, uneven, validation_falls, worse
from _doctor_setup import Setup, log_uniform

from scratchnet.layers import Dense

PLAIN = Wants(norms=("", "", "other"))
TABLES = replace(PLAIN, tasks=("blobs", "table"), nets=("mlp", "mlp", "deep"))
MANY = Wants(tasks=(*PICTURES, "blobs"), min_classes=4)


@fault("inputs-unscaled", slower, replace(PLAIN, tasks=PICTURES), second=("lr-too-high", "dead-relu"))
def raw_pixels(s: Setup, rng: Rng) -> str:
    """Pixels stay at 0..255."""
    s.task.scale, s.task.shift = 1.0, 0.0
    return "0..255"


@fault("inputs-unscaled", slower, TABLES, second=("lr-too-high", "dead-relu"))
def large_features(s: Setup, rng: Rng) -> str:
    """Every feature in units that make it large."""
    s.task.scale = log_uniform(rng, 30, 2000)
    return f"x {s.task.scale:.0f}"


@fault("inputs-unscaled", slower, TABLES, second=("lr-too-high",))
def far_from_zero(s: Setup, rng: Rng) -> str:
    """Features around a large number, as years or temperatures are."""
    s.task.shift = log_uniform(rng, 30, 1000)
    return f"+ {s.task.shift:.0f}"


@fault("inputs-unscaled", slower, replace(TABLES, tasks=("table",)), second=("lr-too-high",))
def one_large_feature(s: Setup, rng: Rng) -> str:
    """One column, an income among ages."""
    factor = np.float32(log_uniform(rng, 300, 30000))
    for part in [*s.task.splits.values(), s.task.truth]:
        part.x[:, -1] *= factor
    return f"x {factor:.0f}"


@fault("labels-out-of-range", present)
def counted_from_one(s: Setup, rng: Rng) -> None:
    """Labels 1..C for C outputs."""
    for split in s.task.splits:
        s.task.change(split, y=s.task.splits[split].y + 1)


@fault("labels-out-of-range", present)
def a_few_wrong_codes(s: Setup, rng: Rng) -> str:
    """Some samples carry a code for "unknown"."""
    y, k = s.task.train.y.copy(), int(rng.integers(1, 6))
    y[rng.choice(len(y), k, replace=False)] = int(rng.choice((s.task.classes, 99, 255)))
    s.task.change("train", y=y)
    return f"{k} samples"


@fault("labels-out-of-range", present, Wants(min_classes=3))
def too_few_outputs(s: Setup, rng: Rng) -> None:
    """A class was forgotten when outputs were counted."""
    head = s.layers[-1]
    assert isinstance(head, Dense)
    s.layers[-1] = replace(head, out=s.task.classes - 1)


@fault("labels-out-of-range", present)
def a_row_of_zeros(s: Setup, rng: Rng) -> str:
    """Targets made by comparison: a label that no class has becomes a row without a 1, and nobody complains."""
    y = s.task.train.y.copy()
    share = rng.uniform(0.05, 0.4)
    y[rng.random(len(y)) < share] = 255 if rng.random() < 0.5 else s.task.classes
    s.task.change("train", y=y)
    classes = s.task.classes
    s.targets = lambda labels: (labels[:, None] == np.arange(classes)).astype(s.dtype)
    return f"{share:.0%}"


@fault("labels-shuffled", worse, second=("overfitting", "underfitting"))
def permuted(s: Setup, rng: Rng) -> str:
    """Labels were shuffled, the samples were not: in training alone, or everywhere."""
    splits = ["train"] if rng.random() < 0.5 else list(s.task.splits)
    for split in splits:
        s.task.change(split, y=rng.permutation(s.task.splits[split].y))
    return ", ".join(splits)


@fault("labels-shuffled", worse, second=("overfitting", "underfitting"))
def off_by_a_few(s: Setup, rng: Rng) -> str:
    """Labels belong to the sample some places before."""
    k = int(rng.choice((1, 2, 16)))
    s.task.change("train", y=np.roll(s.task.train.y, k))
    return f"by {k}"


@fault("labels-shuffled", worse, second=("overfitting", "underfitting"))
def partly_permuted(s: Setup, rng: Rng) -> str:
    """A part of the files was joined in the wrong order."""
    y, share = s.task.train.y.copy(), rng.uniform(0.5, 0.85)
    rows = np.flatnonzero(rng.random(len(y)) < share)
    y[rows] = rng.permutation(y[rows])
    s.task.change("train", y=y)
    return f"{share:.0%}"


@fault("labels-remapped", validation_falls, Wants(min_classes=2), log=True, second=("overfitting",))
def another_order_of_classes(s: Setup, rng: Rng) -> None:
    """Validation numbers the classes in an order of its own."""
    c = s.task.classes
    s.task.change("val", y=(rng.permutation(c))[s.task.splits["val"].y])


@fault("labels-remapped", validation_falls, MANY, second=("overfitting",))
def a_missing_class(s: Setup, rng: Rng) -> str:
    """A folder was missing, so the classes behind it are numbered one lower."""
    val, missing = s.task.splits["val"], int(rng.integers(0, s.task.classes // 2))
    keep = val.y != missing
    s.task.change("val", x=val.x[keep], y=val.y[keep] - (val.y[keep] > missing))
    return f"from {missing}"


@fault("class-imbalance", uneven, second=("overfitting",))
def one_class_prevails(s: Setup, rng: Rng) -> str:
    """All samples of one class, few of the others; validation is likewise, or balanced."""
    ratio, kept = log_uniform(rng, 25, 150), int(rng.integers(s.task.classes))
    splits = ["train"] if rng.random() < 0.5 else ["train", "val"]
    for split in splits:
        part = s.task.splits[split]
        size = np.bincount(part.y, minlength=s.task.classes)
        share = size[kept] / ratio / np.maximum(size, 1)
        keep = np.flatnonzero((part.y == kept) | (rng.random(len(part)) < share[part.y]))
        keep = np.union1d(keep, np.unique(part.y, return_index=True)[1])
        s.task.change(split, x=part.x[keep], y=part.y[keep])
    s.epochs = max(s.epochs, round(300 / s.per_epoch))
    return f"{ratio:.0f} to 1 in {', '.join(splits)}"


@fault("data-order", worse, second=("plateau", "loss-spike"))
def sorted_by_class(s: Setup, rng: Rng) -> None:
    """The files come class by class, and nobody shuffles."""
    order = np.argsort(s.task.train.y, kind="stable")
    s.task.change("train", x=s.task.train.x[order], y=s.task.train.y[order])
    s.shuffle = False


@fault("data-order", worse, second=("plateau", "loss-spike"))
def in_runs_of_a_class(s: Setup, rng: Rng) -> str:
    """Long runs of one class follow each other, as from a recording."""
    y = s.task.train.y
    length = int(rng.integers(2, 6)) * s.batch_size
    order = np.argsort(y, kind="stable")
    runs = [part[i : i + length] for c in np.unique(y) if len(part := order[y[order] == c]) for i in
            range(0, len(part), length)]  # fmt: skip
    order = np.concatenate([runs[i] for i in rng.permutation(len(runs))])
    s.task.change("train", x=s.task.train.x[order], y=y[order])
    s.shuffle = False
    return f"of {length}"


@fault("split-leak", present)
def validation_from_training(s: Setup, rng: Rng) -> str:
    """A part of the validation samples, or all, were drawn from the training samples."""
    part, share = s.task.splits["val"], float(rng.choice((0.15, 0.3, 0.6, 1.0)))
    rows = rng.choice(len(part), max(1, round(share * len(part))), replace=False)
    source = rng.choice(len(s.task.train), len(rows), replace=False)
    x, y = part.x.copy(), part.y.copy()
    x[rows], y[rows] = s.task.train.x[source], s.task.train.y[source]
    s.task.change("val", x=x, y=y)
    return f"{share:.0%}"


@fault("split-leak", present, Wants(tasks=(*PICTURES, *FLAT)))
def copies_made_before_the_split(s: Setup, rng: Rng) -> str:
    """Rare samples were repeated first and split afterwards."""
    train, val, share = s.task.train, s.task.splits["val"], rng.uniform(0.2, 0.8)
    rows = np.flatnonzero(rng.random(len(val)) < share)
    order = rng.permutation(len(train) + len(rows))
    x, y = np.concatenate([train.x, val.x[rows]]), np.concatenate([train.y, val.y[rows]])
    s.task.change("train", x=x[order], y=y[order])
    return f"{share:.0%}"
