"""Pieces of C: numbers, comments, identifiers, arrays, and the functions that stand in `functions/`."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from scratchnet.core.types import Array, Shape

from ..python_source.numbers import shortest

COLUMNS = 120
PER_LINE = {"float32": 6, "float64": 4}  # numbers: a fixed count, so that a changed number changes one line
SUFFIX = {"float32": "f", "float64": ""}
TYPES = {"float32": "float", "float64": "double"}
NARROW = re.compile(r"\b(exp|expm1|log|log1p|sqrt|tanh|erf|fabs)f\(|\b([0-9.]+)f\b|\bfloat\b")
"""What is said otherwise where the network computes in double."""


@cache
def functions() -> dict[str, str]:
    """The text of every function by name, as it is in a network of floats."""
    return {path.stem: path.read_text() for path in sorted(Path(__file__).with_name("functions").glob("*.c"))}


def needed(used: Iterable[str]) -> list[str]:
    """The functions used and those that they use, each after what it uses."""
    found: dict[str, None] = {}

    def visit(name: str) -> None:
        for other in functions():
            if other != name and re.search(rf"\b{other}\b", re.sub(r"/\*.*?\*/", "", functions()[name], flags=re.S)):
                visit(other)
        found[name] = None

    for name in sorted(used):
        visit(name)
    return list(found)


def widened(text: str, dtype: str) -> str:
    """A function for the network's type."""
    if dtype == "float32":
        return text

    def wide(match: re.Match[str]) -> str:
        function, number = match.groups()
        return f"{function}(" if function else number or "double"

    return NARROW.sub(wide, text)


def one(number: Any) -> str:
    """A constant of the network's type."""
    return numbers(np.array([number]))[0]


def numbers(flat: Array) -> list[str]:
    """Constants: the shortest decimals that give the same bits back."""
    suffix = SUFFIX[flat.dtype.name]
    return [text + suffix for text in shortest(flat)]


def comment(text: str, indent: str = "    ") -> list[str]:
    """A comment, after an empty line."""
    safe = text.replace("*/", "* /").replace("/*", "/ *").replace("\\", "/").replace("??", "?")
    wrapped = textwrap.wrap(safe, COLUMNS - 10, break_long_words=False, break_on_hyphens=False)
    first, *rest = wrapped
    lines = [f"{indent}/* {first}", *(f"{indent}   {line}" for line in rest)]
    return ["", *lines[:-1], lines[-1] + " */"]


def identifier(path: str, taken: set[str]) -> str:
    """Of "0.W": W0; of "2.body.1.W_ih": W_ih2_body_1. It is added to those that are taken."""
    where, _, leaf = path.rpartition(".")
    separator = "" if where[:1].isdigit() or not where else "_"
    wanted = re.sub(r"^(?=[^A-Za-z])|\W", "_", f"{leaf}{separator}{where}", flags=re.A)
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}_{number}", number + 1
    taken.add(name)
    return name


def array(path: str, name: str, values: Array) -> list[str]:
    """A static array, each row of its last axis on lines of its own, and in a comment what it is in the network."""
    width = values.shape[-1] if values.shape else 1
    return ["", *heading(path, name, values.dtype.name, values.shape), *_rows(values.reshape(-1), width), "};"]


def heading(path: str, name: str, dtype: str, shape: Shape) -> list[str]:
    """What stands before an array's numbers."""
    return [
        f"/* {path}: {dtype} ({' x '.join(map(str, shape))}) */",
        f"static const {TYPES[dtype]} {name}[{' * '.join(map(str, shape)) or '1'}] = {{",
    ]


def _rows(flat: Array, width: int) -> Iterable[str]:
    texts, count = numbers(flat), PER_LINE[flat.dtype.name]
    for row in range(0, len(texts), width):
        for start in range(row, row + width, count):
            yield "    " + ", ".join(texts[start : min(start + count, row + width)]) + ","
