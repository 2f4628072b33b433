"""A figure that was measured on another split than it is named after."""

from __future__ import annotations

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError
from ..readings import HELD_OUT, g

LEAST = 2  # epochs with the very same figures: one may be chance where a network is always right

CAUSE = Cause(
    "wrong-split",
    title="A metric was measured on the wrong split",
    explanation="A validation or test figure that comes from the training samples says how well they are remembered. "
    "It is told by its counts: so many samples of each class has only the other split.",
    remedy="Give every loader its split by name, and let every figure carry its split and its number of samples.",
    lesson="docs/doctor.md#wrong-split",
    leads_to=("impossible-accuracy",),
)


@CAUSE.check
def counts(history: History) -> Found | None:
    """The samples measured, in all and of each class, against what the splits hold."""
    asked = 0
    for name in HELD_OUT:
        own = history.data.get(name)
        told = [(e, m) for e, m in history.measured(name) if m.total is not None or m.matrix is not None]
        if own is None or not told:
            continue
        asked += 1
        epoch, m = told[-1]
        rows = tuple(map(sum, m.matrix)) if m.matrix is not None else None
        total = m.total if m.total is not None else sum(rows or ())
        for other, facts in history.data.items():
            if other == name:
                continue
            same = rows is not None and facts.class_counts is not None and rows == facts.class_counts
            differs = own.class_counts is not None and rows is not None and rows != own.class_counts
            if same and differs and rows is not None:
                text = (
                    f"it counts {g(total, 9)} samples, of each class as many as {other} has; {name} has other numbers"
                )
                return Found(0.97, Evidence(text, f"{name}, epoch {epoch}"), _shown(name, own.class_counts, rows))
            if total != own.samples and total == facts.samples:
                text = f"it counts {g(total, 9)} samples, which is the size of {other}; {name} has {g(own.samples, 9)}"
                return Found(0.95, Evidence(text, f"{name}, epoch {epoch}"))
        if own.class_counts is not None and rows is not None and rows != own.class_counts and total == own.samples:
            text = f"it counts {g(total, 9)} samples, but not with the classes of {name}"
            return Found(0.8, Evidence(text, f"{name}, epoch {epoch}"), _shown(name, own.class_counts, rows))
    if not asked:
        raise NotKnownError("the samples that validation or test figures are of")
    return None


@CAUSE.check
def same_figures(history: History) -> Found | None:
    """Two splits with the same loss to the last digit, epoch after epoch, while it changes."""
    asked = 0
    names = dict.fromkeys(name for epoch in history.epochs for name in epoch.splits)
    for name in names:
        for other in names:
            if name not in HELD_OUT or other == name or (other in HELD_OUT and other < name):
                continue
            a = {e: m.loss for e, m in history.measured(name) if m.loss is not None}
            b = {e: m.loss for e, m in history.measured(other) if m.loss is not None}
            both = [(a[e], b[e]) for e in a if e in b]
            asked += len(both) >= LEAST
            if len(both) >= LEAST and all(x == y for x, y in both) and len({x for x, _ in both}) >= LEAST:
                text = f"{name} and {other} have the same loss to the last digit in {len(both)} epochs: {both[-1][0]!r}"
                return Found(0.9, Evidence(text, f"epoch {max(a)}"))
    if not asked:
        raise NotKnownError("the losses of two splits in two epochs")
    return None


@CAUSE.check
def same_rows(history: History) -> Found | None:
    """A split with as many samples of each class as those that the epoch trained on."""
    asked = 0
    for epoch in reversed(history.epochs):
        train = epoch.splits.get("train")
        rows = tuple(map(sum, train.matrix)) if train is not None and train.matrix is not None else None
        for name in HELD_OUT:
            m, own = epoch.splits.get(name), history.data.get(name)
            if rows is None or m is None or m.matrix is None:
                continue
            asked += 1
            if tuple(map(sum, m.matrix)) == rows and (own is None or own.class_counts != rows) and len(set(rows)) > 1:
                text = f"it counts {g(sum(rows), 9)} samples, of each class as many as were trained on"
                return Found(0.9, Evidence(text, f"{name}, epoch {epoch.epoch}"))
    if not asked:
        raise NotKnownError("confusion matrices of two splits")
    return None


@CAUSE.check
def same_samples(history: History) -> Found | None:
    """A held-out split whose every sample is one of training, and which is as large."""
    train, asked = history.data.get("train"), 0
    for name in HELD_OUT:
        own = history.data.get(name)
        if own is None or train is None or own.duplicates is None:
            continue
        asked += 1
        if own.duplicates == own.samples == train.samples:
            text = f"all {g(own.samples, 9)} samples of {name} are those of training"
            return Found(0.96, Evidence(text, name))
    if not asked:
        raise NotKnownError("samples that two splits share")
    return None


def _shown(name: str, own: tuple[int, ...] | None, rows: tuple[int, ...]) -> Evidence:
    first = next((c for c, (x, y) in enumerate(zip(own or (), rows, strict=False)) if x != y), 0)
    return Evidence(f"class {first}: {g(rows[first], 9)} counted, {g((own or rows)[first], 9)} in {name}", name)
