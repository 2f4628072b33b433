"""Lines of Python as `ruff format` leaves them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

WIDTH = 120


def statement(before: str, items: Sequence[str], after: str, indent: int = 4) -> list[str]:
    """`before` + items + `after` on one line; else the items on a line of their own; else one a line."""
    pad, inner = " " * indent, " " * (indent + 4)
    whole = f"{pad}{before}{', '.join(items)}{after}"
    if len(whole) <= WIDTH:
        return [whole]
    together = inner + ", ".join(items)
    body = [together] if len(together) <= WIDTH else [f"{inner}{item}," for item in items]
    return [pad + before, *body, pad + after]


def exploded(before: str, items: Iterable[str], after: str, indent: int = 4) -> list[str]:
    """One item a line, with the last comma that keeps it so."""
    pad = " " * indent
    return [pad + before, *(f"{pad}    {item}," for item in items), pad + after]


def tuple_of(items: Sequence[str]) -> str:
    """(a, b), or (a,)."""
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
