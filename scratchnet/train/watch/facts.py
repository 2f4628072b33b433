"""What a split is like, as the network gets it: measured once, before training, on a fixed draw of its samples."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from scratchnet.core.types import Array, structured
from scratchnet.data import Batches

from ..errors import DataFactsError
from ..history.records import SplitFacts
from .measures.outputs import labels_of
from .neighbours import Neighbours

LOOKED_AT = 4096  # samples that range, mean and norm are measured on
SEED = 0


class Samples(NamedTuple):
    """A split: samples as they are stored, targets, what scales and shifts them, the order in which they are taken."""

    x: Array
    y: Array
    scale: Array | None
    shift: Array | None
    order: Array

    def given(self, rows: Array) -> Array:
        """Some samples as the network gets them, (n, features)."""
        x = self.x[rows]
        if self.scale is None or self.shift is None:
            return x.reshape(len(x), -1)
        channels = x.reshape(len(x), len(self.scale), -1).astype(self.scale.dtype)  # (n, ...) -> (n, C, P)
        return (channels * self.scale[:, None] + self.shift[:, None]).reshape(len(x), -1)  # -> (n, C*P)


class Facts:
    """Measures one split after the other. The first, or "train", is the one that others are held against."""

    def __init__(self, classes: int | None) -> None:
        self._classes = classes
        self._contents: frozenset[int] | None = None  # of the training samples
        self._neighbours: Neighbours | None = None

    def of(self, name: str, source: Any) -> SplitFacts:
        """The facts of a split: `Batches`, or a pair of arrays (x, y) as the network gets them.

        Raises DataFactsError for anything else.
        """
        split = _samples(name, source)
        n, labels = len(split.x), labels_of(split.y, self._classes)
        return SplitFacts(
            split=name,
            samples=n,
            **self._values(split),
            **self._labels(labels, split.order),
            **self._against_training(split, labels),
        )

    def _values(self, split: Samples) -> dict[str, Any]:
        """Range, moments, norm, constant features."""
        shape = {"shape": tuple(split.x.shape[1:])}
        if split.x.dtype.kind not in "fu" or (split.scale is None and split.x.dtype.kind != "f"):
            return shape  # whole numbers that stand for something have no mean
        rows = _some(len(split.x), LOOKED_AT, "values")
        x = split.given(rows)
        with np.errstate(over="ignore", invalid="ignore"):
            low, high = x.min(0), x.max(0)
            squares = np.einsum("nd,nd->n", x, x, dtype=np.float64, casting="safe")
            mean = float(x.mean(dtype=np.float64))
            found = {"minimum": float(low.min()), "maximum": float(high.max()), "mean": mean}
            found |= {"std": float(x.std(dtype=np.float64)), "norm": float(np.sqrt(squares).mean())}
        wrong = int(x.size - np.count_nonzero(np.isfinite(x)))
        constant = int(np.count_nonzero(low == high))
        return shape | found | {
            "looked_at": len(rows), "features": x.shape[1], "constant": constant, "nonfinite": wrong,
        }  # fmt: skip

    def _labels(self, labels: Array | None, order: Array) -> dict[str, Any]:
        """How labels are distributed, over the classes and along the order of training."""
        if labels is None or self._classes is None:
            return {}
        inside = labels[(labels >= 0) & (labels < self._classes)]
        along = labels[order]
        return {
            "classes": self._classes,
            "label_minimum": int(labels.min()),
            "label_maximum": int(labels.max()),
            "class_counts": tuple(np.bincount(inside, minlength=self._classes).tolist()),
            "neighbours_alike": float((along[1:] == along[:-1]).mean()) if len(along) > 1 else None,
        }

    def _against_training(self, split: Samples, labels: Array | None) -> dict[str, Any]:
        """Samples that the training split has too, and what its nearest neighbours there say of the labels."""
        contents = _contents(split.x)
        first = self._contents is None
        if self._contents is None:
            self._contents = frozenset(contents)
        n = len(contents)
        found: dict[str, Any] = {"duplicates": n - len(self._contents) if first else _shared(contents, self._contents)}
        if labels is None or split.x.dtype.kind not in "fu":
            return found
        if first:
            rows = _some(n, Neighbours.REFERENCES, "references")
            self._neighbours = Neighbours(split.given(rows), labels[rows], rows, labels)
        if self._neighbours is None or self._neighbours.features != split.x[0].size:
            return found
        rows = _some(n, Neighbours.QUERIES, "queries")
        return found | self._neighbours.agreement(split.given(rows), labels[rows], rows if first else None, labels)


def _samples(name: str, source: Any) -> Samples:
    if isinstance(source, Batches):
        images, targets, scale, shift = source.whole()
        return Samples(images, targets, scale, shift, source.order(1))
    if isinstance(source, tuple) and len(source) == 2 and not structured(source):
        x, y = source
        if isinstance(x, np.ndarray) and isinstance(y, np.ndarray) and len(x) == len(y) > 0 and x.ndim:
            return Samples(x, y, None, None, np.arange(len(x)))
    actual = f"{type(source).__name__}" + (f" of {len(source)}" if hasattr(source, "__len__") else "")
    raise DataFactsError(
        "nothing is known of such data",
        where=f"{name} split",
        expected="Batches, or a pair (x, y) of arrays with as many samples",
        actual=actual,
    )


def _some(n: int, most: int, what: str) -> Array:
    """The numbers of `most` samples of n, always the same ones, in order; all of them where there are no more."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng([SEED, len(what)]).choice(n, most, replace=False))


def _contents(x: Array) -> list[int]:
    """A number for the content of each sample; two samples share one if they are equal, value by value."""
    rows = np.ascontiguousarray(x).reshape(len(x), -1)
    return [hash(row.tobytes()) for row in rows]


def _shared(contents: list[int], known: frozenset[int]) -> int:
    return sum(content in known for content in contents)
