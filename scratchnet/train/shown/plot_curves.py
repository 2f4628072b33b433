"""Panels of what goes along a run: loss, accuracy, gradient norms, update ratios."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..history import History
from ..history.records import Look, ParameterLook
from .plot_series import blocks, series, steps_an_epoch

Panel = Callable[[Any], None]
Points = Sequence[tuple[float, float]]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D31")
"""Okabe and Ito's, which everybody tells apart; the yellow, which white paper swallows, is left out."""
LINES = {"train": "-", "val": "--", "test": ":"}
LABELS = 12
"""Lines beyond which only weights are drawn, and then only so many named."""


def losses(runs: Mapping[str, History]) -> Panel | None:
    """Loss by epoch and split, and, faintly, that of the steps."""
    if not any(history.losses or series(history, "loss") for history in runs.values()):
        return None

    def draw(axes: Any) -> None:
        drawn: list[float] = []
        in_steps = not any(history.epochs for history in runs.values())
        for i, (name, history) in enumerate(runs.items()):
            colour = COLOURS[i % len(COLOURS)]
            each = 1.0 if in_steps else steps_an_epoch(history)
            if each:
                points = blocks(history, each)
                drawn += _line(axes, points, None if history.epochs else name, colour, "-", alpha=0.35, marker="")
            for split, points in series(history, "loss").items():
                drawn += _line(axes, points, _label(runs, name, split), colour, LINES.get(split, "-."))
        if drawn and min(drawn) > 0 and max(drawn) > 20 * min(drawn):
            axes.set_yscale("log")
        _finish(axes, "Loss", "step" if in_steps else "epoch (faint: every step)" if _any_steps(runs) else "epoch")

    return draw


def accuracies(runs: Mapping[str, History]) -> Panel | None:
    """Accuracy by epoch and split."""
    if not any(series(history, "accuracy") for history in runs.values()):
        return None

    def draw(axes: Any) -> None:
        for i, (name, history) in enumerate(runs.items()):
            for split, points in series(history, "accuracy").items():
                shown = [(epoch, 100 * rate) for epoch, rate in points]
                _line(axes, shown, _label(runs, name, split), COLOURS[i % len(COLOURS)], LINES.get(split, "-."))
        _finish(axes, "Accuracy", "epoch", "%")

    return draw


def gradients(runs: Mapping[str, History]) -> Panel | None:
    """‖gradient‖ of every parameter, or of all of them together for each of several runs."""
    return _looked(runs, lambda one: one.gradient, "Gradient norm", _together)


def updates(runs: Mapping[str, History]) -> Panel | None:
    """‖update‖ / ‖weight‖ of every parameter, or the median over them for each of several runs."""
    return _looked(runs, _ratio, "Update / weight", _median)


def _looked(
    runs: Mapping[str, History],
    of: Callable[[ParameterLook], float | None],
    title: str,
    together: Callable[[list[float]], float],
) -> Panel | None:
    if not any(_told(look, of) for history in runs.values() for look in history.looks):
        return None

    def draw(axes: Any) -> None:
        axes.set_xscale("log")
        axes.set_yscale("log")
        if len(runs) > 1:
            for i, (name, history) in enumerate(runs.items()):
                values = [(look.step, list(_told(look, of).values())) for look in history.looks]
                points = [(float(step), together(those)) for step, those in values if those]
                _line(axes, points, name, COLOURS[i % len(COLOURS)], "-")
            _finish(axes, f"{title}, {together.__doc__}", "step")
            return
        (history,) = runs.values()
        names = list(dict.fromkeys(name for look in history.looks for name in look.parameters))
        weights = [name for name in names if _is_weight(name, history.looks)]
        shown = names if len(names) <= LABELS else weights or names
        depth = {path: i for i, path in enumerate(dict.fromkeys(name.rpartition(".")[0] for name in shown))}
        for name in shown:
            points = [(float(look.step), told[name]) for look in history.looks if name in (told := _told(look, of))]
            colour = _by_depth(depth[name.rpartition(".")[0]], len(depth))
            label = name if len(shown) <= LABELS or name in (shown[0], shown[-1]) else None
            _line(axes, points, label, colour, "-" if name in weights or not weights else "--")
        of_which = "" if shown == names else f" of {len(shown)} weights, by depth"
        _finish(axes, title + of_which, "step")

    return draw


def _told(look: Look, of: Callable[[ParameterLook], float | None]) -> dict[str, float]:
    """Of the parameters that have it."""
    return {name: value for name, one in look.parameters.items() if (value := of(one)) is not None}


def _line(axes: Any, points: Points, label: str | None, colour: Any, style: str, **how: Any) -> list[float]:
    """Draw a line; what is not finite is marked at the top, a 0 that a logarithm has no place for at the bottom."""
    log = axes.get_yscale() == "log"
    fine = [(x, y if math.isfinite(y) and not (log and y <= 0) else math.nan) for x, y in points]
    how = {"marker": "o" if len(points) <= 30 else "", "markersize": 3.5, "linewidth": 1.6} | how
    axes.plot([x for x, _ in fine], [y for _, y in fine], style, color=colour, label=label, **how)
    above = [x for x, y in points if not math.isfinite(y)]
    below = [x for x, y in points if log and y <= 0]
    for xs, height, marker in ((above, 0.98, "x"), (below, 0.02, "v")):
        if xs:
            places = axes.get_xaxis_transform()
            axes.plot(xs, [height] * len(xs), marker, color=colour, transform=places, markersize=6, clip_on=False)
    return [y for _, y in fine if not math.isnan(y)]


def _finish(axes: Any, title: str, x: str, y: str = "") -> None:
    marks = {line.get_marker() for line in axes.get_lines() if line.get_linestyle() == "None"}
    meanings = [text for mark, text in (("x", "×: not finite"), ("v", "▾: 0")) if mark in marks]
    axes.set_title("  ".join([title, *([f"({', '.join(meanings)})"] if meanings else [])]))
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    if x.startswith("epoch"):
        axes.xaxis.get_major_locator().set_params(integer=True)
    many = len(axes.get_legend_handles_labels()[1])
    if many:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.3, ncols=1 + (many - 1) // 14)


def _any_steps(runs: Mapping[str, History]) -> bool:
    return any(history.losses and steps_an_epoch(history) for history in runs.values())


def _label(runs: Mapping[str, History], name: str, split: str) -> str:
    return f"{name}, {split}" if len(runs) > 1 else split


def _ratio(one: ParameterLook) -> float | None:
    return one.update / one.weight if one.update is not None and one.weight else None


def _together(values: list[float]) -> float:
    """all parameters together"""
    return math.hypot(*values)


def _median(values: list[float]) -> float:
    """median over parameters"""
    return float(np.median(values))


def _is_weight(name: str, looks: Iterable[Look]) -> bool:
    if name.rpartition(".")[2] in ("W", "weight"):
        return True
    return any(one.fan_in is not None for look in looks if (one := look.parameters.get(name)))


def _by_depth(i: int, many: int) -> Any:
    """Colours of their own for few, and a scale from dark to light, which everybody can follow, for many."""
    if many <= len(COLOURS):
        return COLOURS[i]
    low, high = np.array([0.0, 0.13, 0.30]), np.array([0.87, 0.78, 0.35])
    return tuple(low + (high - low) * i / (many - 1))
