"""A picture of rows: one a layer or a split, its name on the left, values along one axis below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .axis import Axis
from .markup import Markup, tag
from .plot import RIGHT, WIDTH, sheet, text

LABEL = 124  # pixels for the names
LETTERS = 14  # of a name that stand there
TOP, BOTTOM = 8, 40
LEAST, LOW, HIGH = 160, 21, 34  # pixels: all rows together, at the least; the lowest and the highest row


@dataclass
class Rows:
    """Rows by name; what is drawn in them is added by the row's number."""

    names: Sequence[str]
    x: Axis
    x_name: str
    parts: list[Markup] = field(default_factory=list)

    @property
    def row(self) -> float:
        """A row's height."""
        return min(max(LEAST / len(self.names), LOW), HIGH)

    @property
    def height(self) -> float:
        """Of the sheet."""
        return TOP + self.row * len(self.names) + BOTTOM

    def middle(self, row: int) -> float:
        """Where a row's values stand."""
        return TOP + self.row * (row + 0.5)

    def band(self, low: float, high: float, name: str, kind: str = "band") -> None:
        """A stretch of x where values belong."""
        x, end = self.x.at(low), self.x.at(high)
        self._add(
            "rect", name, x=x, width=round(end - x, 1), y=TOP, height=f"{self.row * len(self.names):g}", class_=kind
        )

    def bar(self, row: int, low: float, high: float, kind: str, name: str, lane: tuple[float, float] = (0, 1)) -> None:
        """A bar over a stretch of x, in a part of the row's height."""
        x, end = self.x.at(low), self.x.at(high)
        top = TOP + self.row * row + 3 + lane[0] * (self.row - 6)
        height = (lane[1] - lane[0]) * (self.row - 6)
        self._add("rect", name, x=x, width=round(max(end - x, 1.0), 1), y=f"{top:g}", height=f"{height:g}",
                  class_=f"bar {kind}")  # fmt: skip

    def dot(self, row: int, value: float, kind: str, name: str, shape: str = "dot") -> None:
        """A value; a ring tells it from one that is filled."""
        self._add("circle", name, cx=self.x.at(value), cy=self.middle(row), r=3.6, class_=f"{shape} {kind}")

    def path(self, spots: Sequence[tuple[int, float]], kind: str, name: str) -> None:
        """A line from row to row."""
        d = "M" + "L".join(f"{self.x.at(value):g} {self.middle(row):g}" for row, value in spots)
        self._add("path", name, d=d, class_=f"line {kind}")

    def cross(self, row: int, name: str) -> None:
        """A value that is not finite stands at the right end, crossed."""
        place = f"translate({WIDTH - RIGHT - 6} {self.middle(row):g})"
        self._add("path", name, d="M-4 -4L4 4M-4 4L4 -4", class_="cross", transform=place)

    def done(self, title: str, full: Callable[[int], str] = lambda row: "") -> Markup:
        """The sheet; `full` is a row's name without a cut."""
        bottom = TOP + self.row * len(self.names)
        parts = []
        for value, name in self.x.ticks:
            x = self.x.at(value)
            parts.append(tag("line", x1=x, x2=x, y1=TOP, y2=bottom, class_="grid"))
            edge = x > WIDTH - RIGHT - 4 * len(name)
            parts.append(text(WIDTH - 2 if edge else x, bottom + 17, name, "end" if edge else "middle"))
        for row, name in enumerate(self.names):
            cut = name if len(name) <= LETTERS else name[: LETTERS - 1] + "…"
            parts.append(text(LABEL - 8, self.middle(row) + 4, cut, "end", full=full(row) or name))
        parts.append(tag("line", x1=LABEL, x2=LABEL, y1=TOP, y2=bottom, class_="axis"))
        parts.append(text((LABEL + WIDTH - RIGHT) / 2, self.height - 5, self.x_name, kind="name"))
        return sheet(self.height, title, tag("g", *parts), tag("g", *self.parts))

    def _add(self, shape: str, title: str, **attributes: object) -> None:
        self.parts.append(tag(shape, tag("title", title) if title else None, **attributes))
