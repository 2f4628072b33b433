"""Pictures of runs: loss, accuracy, gradients, updates, accuracy by class, confusion; several runs on one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from scratchnet.check.optional import missing
from scratchnet.core.errors import ConfigError
from scratchnet.data.files import replacing

from ..history import History
from .plot_classes import by_class, confusion, with_matrix
from .plot_curves import accuracies, gradients, losses, updates

FORMATS = (".png", ".svg")
MOST_MATRICES = 4
"""Runs whose confusion matrices are drawn."""
WIDTH, HEIGHT = 7.0, 4.4
"""Of a panel, in inches."""
STYLE = {"font.size": 10, "axes.titlesize": 11, "axes.titleweight": "bold", "axes.grid": True, "grid.alpha": 0.25}
STYLE |= {"axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False, "legend.fontsize": 8.5}
STYLE |= {"svg.hashsalt": "scratchnet"}  # the same run gives the same file

Panel = Callable[[Any], None]


def plot(runs: Mapping[str, History], path: str | Path) -> Path:
    """Draw what was recorded of runs into one picture; returns its path.

        plot({"mlp": read_run("runs/mlp"), "cnn": read_run("runs/cnn")}, "both.png")

    A panel for each of: loss; accuracy; gradient norms and update/weight ratios (of every parameter, or, with several
    runs, over all of them); accuracy by class and the confusion matrix at the last epoch that has one. A panel for
    which nothing was recorded is left out. Colours are told apart by the colour-blind, too.

    Args:
        runs: histories by the names that the legend shows.
        path: a PNG or SVG file, which appears whole or not at all.

    Raises:
        MissingPackageError: without matplotlib, which the extra `plot` brings.
        ConfigError: another kind of file, no run, or nothing in the runs to draw.
    """
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise ConfigError("a plot is a PNG or an SVG", expected=" or ".join(FORMATS), actual=path.name)
    panels = panels_of(runs)
    if not panels:
        raise ConfigError(
            "there is nothing to draw", expected="losses, epochs or looks", actual=", ".join(runs) or "none"
        )
    try:
        from matplotlib import rc_context
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise missing("plot", "matplotlib", "plot") from error
    rows = -(-len(panels) // 2)
    columns = min(2, len(panels))
    with rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(WIDTH * columns, HEIGHT * rows), layout="constrained")
        FigureCanvasAgg(figure)  # and no pyplot: nothing global, no window
        places = list(figure.subplots(rows, columns, squeeze=False).flat)
        for axes, panel in zip(places, panels, strict=False):
            panel(axes)
        for axes in places[len(panels) :]:
            axes.remove()
        figure.suptitle(_shorten(" · ".join(runs), 60 * columns), fontsize=12)
        with replacing(path) as file:
            kind = path.suffix.lower()[1:]
            figure.savefig(file, format=kind, dpi=110, metadata={"Date": None} if kind == "svg" else None)
    return path


def panels_of(runs: Mapping[str, History]) -> list[Panel]:
    """What there is to draw, a function of the axes each."""
    found: list[Panel] = []
    for kind in (losses, accuracies, gradients, updates):
        panel = kind(runs)
        if panel is not None:
            found.append(panel)
    known = {name: last for name, history in runs.items() if (last := with_matrix(history)) is not None}
    if known:
        found.append(by_class(known))
        found += [confusion(name, known[name], len(runs) > 1) for name in list(known)[:MOST_MATRICES]]
    return found


def _shorten(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
