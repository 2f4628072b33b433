"""Panels of what became of the classes: accuracy by class, confusion matrix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ..history import History
from .plot_curves import COLOURS

Panel = Callable[[Any], None]
Array = np.ndarray[Any, Any]
NUMBERED = 12
"""Classes up to which every cell shows its number."""
MARKERS = "osD^vPX*"


class Matrix(NamedTuple):
    """A confusion matrix, (C, C), true classes down; where it is from; what the classes are called."""

    counts: Array
    where: str
    names: list[str]


def with_matrix(history: History) -> Matrix | None:
    """The confusion matrix of the last epoch that has one; of validation, or else test, or else training."""
    for epoch in reversed(history.epochs):
        for split in (*("val", "test", "train"), *epoch.splits):
            measured = epoch.splits.get(split)
            if measured is not None and measured.matrix:
                counts = np.array(measured.matrix, np.float64)
                names = history.config.get("classes")
                if not isinstance(names, list) or len(names) != len(counts):
                    names = list(range(len(counts)))
                called = [str(name)[:12] for name in names]
                return Matrix(counts, f"{split}, epoch {epoch.epoch}", called)
    return None


def by_class(known: Mapping[str, Matrix]) -> Panel:
    """Accuracy within each class; a class without samples has none."""

    def draw(axes: Any) -> None:
        single = len(known) == 1
        for i, (name, matrix) in enumerate(known.items()):
            sizes, hits = matrix.counts.sum(1), np.diagonal(matrix.counts)
            rates = 100 * np.divide(hits, sizes, out=np.full(len(sizes), np.nan), where=sizes > 0)
            places = np.arange(len(rates)) + (0.0 if single else 0.5 * ((i + 0.5) / len(known) - 0.5))
            label = None if single else f"{name} ({matrix.where})"
            axes.vlines(places, 0, rates, color=COLOURS[i % len(COLOURS)], linewidth=1.2, alpha=0.6)
            marker = MARKERS[i % len(MARKERS)]
            axes.plot(places, rates, marker, color=COLOURS[i % len(COLOURS)], markersize=5, label=label)
        longest = max(known.values(), key=lambda matrix: len(matrix.names))
        _ticks(axes, longest.names, "x")
        axes.set_ylim(0, 103)
        axes.set_xlabel("true class")
        axes.set_ylabel("%")
        axes.set_title("Accuracy by class" + (f": {longest.where}" if single else ""))
        if not single:
            axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.3)

    return draw


def confusion(name: str, matrix: Matrix, named: bool) -> Panel:
    """How the samples of each class were taken: the share of a row by colour, the number in the cell."""

    def draw(axes: Any) -> None:
        counts, classes = matrix.counts, len(matrix.counts)
        sizes = counts.sum(1, keepdims=True)
        shares = np.divide(counts, sizes, out=np.zeros_like(counts), where=sizes > 0)
        image = axes.imshow(100 * shares, cmap="cividis", vmin=0, vmax=100, interpolation="nearest", aspect="auto")
        if classes <= NUMBERED:
            for t, p in np.ndindex(counts.shape):
                if counts[t, p]:
                    colour = "black" if shares[t, p] > 0.5 else "white"
                    axes.text(p, t, f"{counts[t, p]:.0f}", ha="center", va="center", fontsize=7.5, color=colour)
        _ticks(axes, matrix.names, "x")
        _ticks(axes, matrix.names, "y")
        axes.grid(False)
        axes.spines[:].set_visible(False)
        axes.set_xlabel("taken for")
        axes.set_ylabel("true class")
        axes.set_title("Confusion: " + (f"{name}, " if named else "") + matrix.where)
        beside = axes.inset_axes((1.02, 0.0, 0.035, 1.0))
        axes.figure.colorbar(image, cax=beside, label="% of the true class")

    return draw


def _ticks(axes: Any, names: list[str], axis: str) -> None:
    """Names at their places, as many as there is room for, turned where they are long."""
    every = -(-len(names) // 20)
    places = range(0, len(names), every)
    turned = axis == "x" and max(map(len, names)) > 3
    set_ticks = axes.set_xticks if axis == "x" else axes.set_yticks
    how = {"rotation": 45, "ha": "right"} if turned else {}
    set_ticks(list(places), [names[i] for i in places], **how)
    axes.tick_params(length=2, labelsize=8.5)
