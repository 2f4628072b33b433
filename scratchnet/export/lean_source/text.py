"""Pieces of Lean: numbers, matrices, identifiers, and the functions that stand in `functions/`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from scratchnet.core.types import Array, Shape

from ..errors import ExportError
from ..python_source.numbers import shortest

TYPES = {"float32": "Float32", "float64": "Float"}
PER_LINE = {"float32": 6, "float64": 4}  # numbers: a fixed count, so that a changed number changes one line


@cache
def functions() -> dict[str, str]:
    """The text of every definition by name, as it is in a network of float32."""
    return {path.stem: path.read_text() for path in sorted(Path(__file__).with_name("functions").glob("*.lean"))}


def needed(used: Iterable[str]) -> list[str]:
    """The definitions used and those that they use, each after what it uses."""
    found: dict[str, None] = {}

    def visit(name: str) -> None:
        code = functions()[name].partition("-/")[2]
        for other in functions():
            if other != name and re.search(rf"(?<![.\w]){re.escape(other)}(?![.\w])", code):
                visit(other)
        found[name] = None

    for name in used:
        visit(name)
    return list(found)


def number(value: Array) -> str:
    """A setting of a function, which stands alone: in parentheses, if it is negative."""
    text = numbers(value.reshape(1))[0]
    return f"({text})" if text.startswith("-") else text


def numbers(flat: Array) -> list[str]:
    """The shortest decimals that give the same bits back; exponents without a plus and leading zeros."""
    return [re.sub(r"e(-?)\+?0*", r"e\1", text) for text in shortest(flat)]


def name_of(path: str) -> str:
    """Of "0.W": W0; of "2.body.1.W": W2_body_1."""
    where, _, leaf = path.rpartition(".")
    return f"{leaf}{where.replace('.', '_')}"


def matrix(path: str, values: Array) -> list[str]:
    """A definition of a vector or a matrix, with a comment of what it is in the network."""
    if values.ndim > 2 or not re.fullmatch(r"[A-Za-z]\w*", name_of(path), re.A):
        raise ExportError("Lean source holds vectors and matrices", where=path, actual=f"shape {values.shape}")
    opening = heading(path, values.dtype.name, values.shape)
    if values.ndim == 1:
        return [*opening, *_row(values, "  "), "]"]
    lines = []
    for at, row in enumerate(values):
        lines += ["  #[", *_row(row, "    "), "  ]," if at < len(values) - 1 else "  ]"]
    return [*opening, *lines, "]"]


def heading(path: str, dtype: str, shape: Shape) -> list[str]:
    """What stands before an array's numbers."""
    real = TYPES[dtype]
    kind = f"Array {real}" if len(shape) == 1 else f"Array (Array {real})"
    return [f"/-- {path}: {dtype} ({' x '.join(map(str, shape))}) -/", f"def {name_of(path)} : {kind} := #["]


def _row(values: Array, indent: str) -> list[str]:
    texts, count = numbers(values), PER_LINE[values.dtype.name]
    lines = [", ".join(texts[start : start + count]) for start in range(0, len(texts), count)]
    return [f"{indent}{line}{',' if at < len(lines) - 1 else ''}" for at, line in enumerate(lines)]
