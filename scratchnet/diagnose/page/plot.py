"""A picture with two axes, in SVG: lines with gaps where nothing finite was measured, bands, marks, bars."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from .axis import Axis, say
from .markup import Markup, tag

WIDTH, HEIGHT = 420, 260
"""A small sheet, so that its letters stay legible where it is shown on a telephone."""
LEFT, RIGHT, TOP, BOTTOM = 54, 12, 32, 38
DOTS = 40  # points of a line up to which each is marked

Point = tuple[float, float]


def xs() -> tuple[float, float]:
    """Where a horizontal axis begins and ends."""
    return float(LEFT), float(WIDTH - RIGHT)


def ys() -> tuple[float, float]:
    """Where a vertical axis begins, at the bottom, and ends."""
    return float(HEIGHT - BOTTOM), float(TOP)


@dataclass(frozen=True)
class Drawn:
    """What a chart shows: the picture, a line of what to see in it, and its key: (class, name)."""

    picture: Markup
    caption: str
    key: tuple[tuple[str, str], ...] = ()


@dataclass
class Plot:
    """A sheet that is drawn upon from the back to the front."""

    x: Axis
    y: Axis
    x_name: str
    y_name: str
    parts: list[Markup] = field(default_factory=list)

    def band(self, low: float, high: float, name: str) -> None:
        """A stretch of y where values belong."""
        top, bottom = self.y.at(high), self.y.at(low)
        self._rect(LEFT, top, WIDTH - RIGHT - LEFT, bottom - top, "band", name)

    def level(self, value: float, name: str) -> None:
        """A value of y to hold others against."""
        y = self.y.at(value)
        self.parts.append(_titled("line", name, x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="level"))

    def line(self, points: Sequence[Point], kind: str, name: str, unit: str = "", dots: bool | None = None) -> None:
        """A line through points with rising x; a gap, shaded and crossed, where y is NaN."""
        runs = _runs(points)
        marked = len(points) <= DOTS if dots is None else dots
        for held in runs:
            if math.isnan(held[0][1]):
                self._lost(held, name, unit)
                continue
            spots = [(self.x.at(x), self.y.at(y)) for x, y in held]
            path = "M" + "L".join(f"{x:g} {y:g}" for x, y in spots)
            self.parts.append(_titled("path", name, d=path, class_=f"line {kind}"))
            if marked or len(held) == 1:
                for (x, y), (cx, cy) in zip(held, spots, strict=True):
                    self._dot(cx, cy, kind, f"{name}, {unit} {say(x)}: {say(y)}", 5.0 if len(held) == 1 else 2.6)

    def spread(self, low: Sequence[Point], high: Sequence[Point], kind: str, name: str) -> None:
        """The area between two lines over the same x; nothing where they are NaN."""
        for lower, upper in zip(_runs(low), _runs(high), strict=True):
            if not math.isnan(lower[0][1]):
                edge = [*upper, *reversed(lower)]
                spots = " ".join(f"{self.x.at(x):g},{self.y.at(y):g}" for x, y in edge)
                self.parts.append(_titled("polygon", name, points=spots, class_=f"spread {kind}"))

    def event(self, x: float, kind: str, name: str) -> None:
        """Something that happened at x: a line from top to bottom under a sign."""
        at = self.x.at(x)
        rule = tag("line", x1=at, x2=at, y1=TOP, y2=HEIGHT - BOTTOM)
        sign = tag("path", d=SIGNS.get(kind, SIGNS["other"]), transform=f"translate({at:g} {TOP - 6})")
        self.parts.append(tag("g", tag("title", name), rule, sign, class_=f"event {kind}"))

    def rug(self, x: float, name: str) -> None:
        """A small mark on the horizontal axis."""
        at, y = self.x.at(x), HEIGHT - BOTTOM
        self.parts.append(_titled("line", name, x1=at, x2=at, y1=y - 6, y2=y, class_="rug"))

    def bar(self, x: float, width: float, value: float, kind: str, name: str) -> None:
        """A bar from the bottom up; `x` and `width` in pixels."""
        y = self.y.at(value)
        self._rect(x, y, width, max(HEIGHT - BOTTOM - y, 0.0), f"bar {kind}", name)

    def done(self, title: str) -> Markup:
        """The sheet, with its axes."""
        return sheet(HEIGHT, title, _grid(self), tag("g", *self.parts))

    def _dot(self, x: float, y: float, kind: str, name: str, radius: float) -> None:
        self.parts.append(_titled("circle", name, cx=x, cy=y, r=radius, class_=f"dot {kind}"))

    def _rect(self, x: float, y: float, width: float, height: float, kind: str, name: str) -> None:
        shape = {"width": f"{width:g}", "height": f"{height:g}"}
        self.parts.append(_titled("rect", name, x=f"{x:g}", y=f"{y:g}", class_=kind, **shape))

    def _lost(self, held: Sequence[Point], name: str, unit: str) -> None:
        first, last = held[0][0], held[-1][0]
        where = f"{unit} {say(first)}" if first == last else f"{unit}s {say(first)} to {say(last)}"
        x, width = self.x.at(first), max(self.x.at(last) - self.x.at(first), 1.0)
        told = f"{name}, {where}: no finite number"
        self._rect(x, TOP, width, HEIGHT - BOTTOM - TOP, "lost", told)
        self.parts.append(_titled("path", told, d=SIGNS["nonfinite"], class_="cross",
                                  transform=f"translate({min(x + 5, WIDTH - RIGHT - 4):g} {TOP + 8})"))  # fmt: skip


SIGNS = {
    "spike": "M0 -5L5 4H-5Z",
    "nonfinite": "M-4 -4L4 4M-4 4L4 -4",
    "skipped": "M-4 0H4",
    "other": "M0 -5L5 0L0 5L-5 0Z",
}
"""Shapes of events, so that nothing is told by colour alone."""


def sheet(height: float, title: str, *parts: Markup) -> Markup:
    """An SVG of the common width."""
    box = f"0 0 {WIDTH} {height:g}"
    return tag("svg", *parts, viewBox=box, role="img", aria_label=title, class_="chart")


def text(x: float, y: float, words: str, anchor: str = "middle", kind: str = "tick", full: str = "") -> Markup:
    """Words at a place; `full` is told on pointing at them."""
    more = tag("title", full) if full else None
    return tag("text", more, words, x=f"{x:g}", y=f"{y:g}", text_anchor=anchor, class_=kind)


def _titled(name: str, title: str, **attributes: object) -> Markup:
    return tag(name, tag("title", title) if title else None, **attributes)


def _grid(plot: Plot) -> Markup:
    """Axes, their names and what is named on them."""
    bottom = HEIGHT - BOTTOM
    parts = [tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=bottom, y2=bottom, class_="axis")]
    for value, name in plot.y.ticks:
        y = plot.y.at(value)
        parts.append(tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid"))
        parts.append(text(LEFT - 6, y + 4, name, "end"))
    for value, name in plot.x.ticks:
        x = plot.x.at(value)
        parts.append(tag("line", x1=x, x2=x, y1=bottom, y2=bottom + 4, class_="axis"))
        edge = x > WIDTH - RIGHT - 4 * len(name)
        parts.append(text(WIDTH - 2 if edge else x, bottom + 17, name, "end" if edge else "middle"))
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 4, plot.x_name, kind="name"))
    parts.append(text(2, 12, plot.y_name, "start", "name"))
    return tag("g", *parts)


def _runs(points: Sequence[Point]) -> list[list[Point]]:
    """Neighbours that are all finite, or all not."""
    runs: list[list[Point]] = []
    for point in points:
        if not runs or math.isnan(runs[-1][-1][1]) != math.isnan(point[1]):
            runs.append([])
        runs[-1].append(point)
    return runs
