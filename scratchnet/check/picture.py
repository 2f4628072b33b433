"""Where a gradient is wrong: as a small map of characters, and as a picture of gradient, slope and difference."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet.core.errors import ConfigError
from scratchnet.core.types import Array
from scratchnet.data.files import replacing

from .optional import missing
from .tiles import Tiles, tile

if TYPE_CHECKING:
    from .report import Finding, Report

ROWS, COLUMNS = 24, 60
"""The greatest extent of a map of characters."""

SIDE = 48
"""The greatest extent of a panel, in elements."""

GREY, BLACK, GAP = (0.80, 0.80, 0.80, 1.0), (0.0, 0.0, 0.0, 1.0), (1.0, 1.0, 1.0, 0.0)


def picture(finding: Finding, rows: int = ROWS, columns: int = COLUMNS) -> list[str]:
    """A map of where the gradient is wrong, in lines: # wrong, . right, blank not probed; tiles stand apart by | and -.

    An argument that is too large for the map is cropped to a window around what is wrong; where that leaves something
    wrong outside, each character stands for a block: # all wrong that was probed there, + some of it, . nothing.
    Nothing is drawn where no entry, or every entry that was probed, is wrong: the map would show one character.
    """
    shape = finding.numeric.shape
    probed, wrong = np.isfinite(finding.numeric), _wrong(finding)
    if not wrong.any() or not (probed & ~wrong).any():
        return []
    tiles = tile(shape, wrong, rows, columns)
    shown = tiles.of(wrong, False)
    if int(shown.sum()) < int(wrong.sum()):
        return _blocks(wrong, probed, rows, columns)
    marks = np.where(wrong, "#", np.where(probed, ".", " "))
    lines = _with_gaps(tiles, tiles.of(marks, " "))
    if tiles.cropped:
        return [f"{tiles.cropped}:", *lines]
    return [f"tiles of the last two axes of {shape}:", *lines] if len(shape) > 2 else lines


def save_picture(found: Finding | Report, path: str | Path) -> Path:
    """Draw the arguments whose gradient is wrong into a PNG file; returns its path.

        report = check_gradients(affine_forward, affine_backward, inputs)
        if not report:
            save_picture(report, "affine.png")

    For each argument there are three panels: the gradient that the backward returned, the slope of the function (grey
    where it was not probed), and the first less the second. Wrong entries are outlined; black is NaN or infinity. The
    first two share their limits, unless one is ten times the other. Of four axes, (N, C, H, W), each (H, W) is a tile;
    a large argument is cropped to where it is wrong.

    Args:
        found: a report, of which the failing arguments are drawn, or a finding, which is drawn in any case.
        path: of the file, which appears whole or not at all.

    Raises:
        MissingPackageError: without matplotlib, which the extra `plot` brings.
        ConfigError: the path does not end in .png, or no argument of the report is wrong.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ConfigError("a picture is a PNG file", expected="a path that ends in .png", actual=str(path))
    findings = _failing(found)
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise missing("save_picture", "matplotlib", "plot") from error
    layouts = [tile(f.analytic.shape, _wrong(f), SIDE, SIDE) for f in findings]
    heights = [1.5 + 4.0 * min(1.0, max(0.06, t.where.shape[0] / max(1, t.where.shape[1]))) for t in layouts]
    figure = Figure(figsize=(15.0, sum(heights)), layout="constrained")
    engine: Any = figure.get_layout_engine()
    engine.set(w_pad=0.15, h_pad=0.08)
    FigureCanvasAgg(figure)  # and no pyplot: nothing global, no window
    parts: Any = figure.subfigures(len(findings), 1, height_ratios=heights, squeeze=False)
    for part, finding, tiles in zip(parts[:, 0], findings, layouts, strict=True):
        _draw(part, finding, tiles)
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=100)
    return path


def _failing(found: Finding | Report) -> list[Finding]:
    findings = getattr(found, "findings", None)
    if findings is None:
        return [found]  # type: ignore[list-item]
    failing = [finding for finding in findings if finding.verdict.value == "FAIL"]
    if not failing:
        raise ConfigError(
            "there is no wrong gradient to draw",
            actual=f"{found.name}: {found.verdict.value}",  # type: ignore[union-attr]
        )
    return failing


def _draw(part: Any, finding: Finding, tiles: Tiles) -> None:
    """Three panels: the backward's gradient, the function's slope, their difference."""
    given, slope, wrong = finding.analytic.real, finding.numeric, _wrong(finding)
    probed = ~np.isnan(slope)
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.where(probed, given - slope, 0.0)
    shown, count = int(tiles.of(wrong, False).sum()), int(wrong.sum())
    title = f"d{finding.argument} of shape {given.shape}: {count} of {int(probed.sum())} probed entries are wrong"
    if not count:
        title += " (but slopes along random directions are)" if finding.verdict.value == "FAIL" else ""
    if tiles.cropped:
        title += f"\nshown: {tiles.cropped}" + (f", with {shown} of the wrong ones" if count else "")
    part.suptitle(title, fontsize=12)
    limits = _limit(tiles.of(given, 0.0)), _limit(tiles.of(np.where(probed, slope, 0.0), 0.0))
    if max(limits) <= 10 * min(limits):
        limits = (max(limits),) * 2
    everywhere = np.ones(given.shape, bool)
    panels = (
        ("backward's gradient", given, everywhere, limits[0]),
        ("function's slope" + ("" if probed.all() else " (grey: not probed)"), slope, probed, limits[1]),
        ("difference", difference, probed, _limit(tiles.of(difference, 0.0))),
    )
    for axes, (name, values, seen, limit) in zip(part.subplots(1, 3), panels, strict=True):
        _panel(axes, name, tiles, values, seen, wrong, limit)


def _panel(axes: Any, name: str, tiles: Tiles, values: Array, seen: Array, wrong: Array, limit: float) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    colours = ScalarMappable(Normalize(-limit, limit), "RdBu_r")
    flat = tiles.of(values, 0.0)
    finite = np.isfinite(flat)
    image = colours.to_rgba(np.where(finite, flat, 0.0))  # (rows, columns) -> (rows, columns, 4)
    image[~finite] = BLACK
    image[~tiles.of(seen, True)] = GREY
    image[tiles.where < 0] = GAP
    axes.imshow(image, interpolation="nearest", aspect="equal")
    _outline(axes, tiles.of(wrong, False))
    axes.set_title(name + ("" if finite[tiles.of(seen, True)].all() else " (black: NaN or infinite)"), fontsize=10)
    for marks, set_ticks in ((tiles.columns, axes.set_xticks), (tiles.rows, axes.set_yticks)):
        chosen = marks[:: max(1, -(-len(marks) // 12))]
        set_ticks([place for place, _ in chosen], [str(index) for _, index in chosen])
    axes.set_ylabel(tiles.names[0])
    axes.set_xlabel(tiles.names[1])
    axes.tick_params(length=2, labelsize=8)
    axes.spines[:].set_visible(False)
    axes.figure.colorbar(colours, ax=axes, shrink=0.8, aspect=25, location="bottom" if flat.shape[0] < 4 else "right")


def _outline(axes: Any, wrong: Array) -> None:
    """A line along the border between what is wrong and what is not."""
    from matplotlib.collections import LineCollection

    edge = np.pad(wrong.astype(int), 1)
    across, down = np.argwhere(np.diff(edge, axis=0)), np.argwhere(np.diff(edge, axis=1))
    lines = [[(c - 1.5, r - 0.5), (c - 0.5, r - 0.5)] for r, c in across]
    lines += [[(c - 0.5, r - 1.5), (c - 0.5, r - 0.5)] for r, c in down]
    axes.add_collection(LineCollection(lines, colors="black", linewidths=1.4, capstyle="projecting", clip_on=False))


def _wrong(finding: Finding) -> Array:
    wrong = np.zeros(finding.numeric.shape, bool)
    for index in finding.wrong:
        wrong[index] = True
    return wrong


def _limit(values: Array) -> float:
    """The largest finite size, for limits that are symmetric about 0."""
    return float(np.abs(values[np.isfinite(values)]).max(initial=0.0)) or 1.0


def _with_gaps(tiles: Tiles, marks: Array) -> list[str]:
    gap: Array = np.asarray(tiles.where < 0)
    across, down = gap.all(1, keepdims=True), gap.all(0, keepdims=True)
    drawn = np.where(across, "-", np.where(down, "|", marks))
    return ["".join(row) for row in np.where(across & down, "+", drawn)]


def _blocks(wrong: Array, probed: Array, rows: int, columns: int) -> list[str]:
    """The whole array, over axes before the last two, with a block of elements a character."""
    ahead = tuple(range(wrong.ndim - 2))
    bad, seen = (np.atleast_2d(a.sum(ahead)) for a in (wrong, probed | wrong))  # (..., H, W) -> (H, W)
    steps = [-(-n // most) for n, most in zip(bad.shape, (rows, columns), strict=True)]
    for axis, step in enumerate(steps):
        starts = np.arange(0, bad.shape[axis], step)
        bad, seen = (np.add.reduceat(a, starts, axis) for a in (bad, seen))
    marks = np.where(bad == 0, np.where(seen > 0, ".", " "), np.where(bad == seen, "#", "+"))
    size = f"{steps[0]} × {steps[1]}" if wrong.ndim > 1 else f"{steps[1]}"
    over = f" of the last two axes of {wrong.shape}" if ahead else f" of {wrong.shape}"
    return [f"{size} entries a character{over}, # all wrong that was probed, + some:", *map("".join, marks)]
