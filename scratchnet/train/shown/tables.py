"""A table of texts at any width: on a narrow terminal each row becomes lines of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from .console import NARROW, Report


def show_table(
    report: Report,
    heads: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str = "",
    strong: Sequence[int] = (),
) -> None:
    """Print rows of cells: the first column to the left, the others to the right. `strong`: rows in bold."""
    if report.quiet:
        return
    if title:
        report.line(title, "bold")
    texts = [[str(cell) for cell in row] for row in rows]
    styles = ["bold" if at in strong else "" for at in range(len(texts))]
    if report.console.width < NARROW:
        for row, style in zip(texts, styles, strict=True):
            report.line(row[0], style)
            pairs = ", ".join(f"{head} {cell}" for head, cell in zip(heads[1:], row[1:], strict=True) if cell)
            report.console.print(Padding(Text(pairs, "dim", overflow="fold"), (0, 0, 0, 2), expand=False))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="dim")
    for at, head in enumerate(heads):
        table.add_column(head, justify="right" if at else "left", overflow="fold")
    for row, style in zip(texts, styles, strict=True):
        table.add_row(*row, style=style)
    report.console.print(Padding(table, (0, 0, 0, 2), expand=False))
