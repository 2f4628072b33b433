"""The numbers of an exported Lean file, by our own grammar. What the exporter would not write is refused."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from scratchnet.core.types import Array, Shape

from ..about import ARCHITECTURE
from ..errors import ExportError
from ..held import Held
from ..listing import held, shape_of
from .emit import FIRST
from .grammar import Definition, parse
from .terms import Term
from .text import matrix, name_of

LARGEST = 1 << 23  # bytes of a file that is read: a hostile one takes 60 times as much memory, and seconds
TITLE = re.compile(r"([\w.]{1,200}): (float32|float64) \(([0-9 x]{1,100})\)", re.A)
TIE = re.compile(r"([\w.]{1,200}) is ([\w.]{1,200})", re.A)


def read_lean(path: str | Path) -> Held:
    """Metadata and arrays of a Lean file that `scratchnet.export.lean_source` wrote.

    Raises:
        ExportError: for a file that cannot be read or is too large, or that is not as the exporter writes it.
    """
    text = _text(Path(path))
    try:
        module = parse(text)
        first, _, rest = module.comment.partition("\n\n")
        if first != FIRST:
            raise ExportError("not a file that scratchnet wrote", expected=FIRST, actual=repr(first[:80]))
        known, _, architecture = rest.partition(f"\n\n{ARCHITECTURE}\n\n")
        lines = known.split("\n")
        ties = [tie for line in lines if (tie := TIE.fullmatch(line))]
        arrays: dict[str, Array] = {}
        for name, definition in module.definitions.items():
            if definition.term.kind in ("numbers", "array"):
                title, values = _array(name, definition, text)
                arrays[title] = values
        for tie in ties:
            if tie[2] not in arrays or tie[1] in arrays:
                raise ExportError("a tie of arrays that are not there", actual=tie[0])
            arrays[tie[1]] = arrays[tie[2]]
    except ExportError as error:
        error.where = f"{path}, {error.where}" if error.where else str(path)
        raise
    if not all(": " in line or TIE.fullmatch(line) for line in lines):
        raise ExportError("a line of metadata that is not as expected", where=str(path), expected="label: value")
    return held([line for line in lines if not TIE.fullmatch(line)], architecture.split("\n"), arrays)


def _text(path: Path) -> str:
    """A regular file of UTF-8, not too large."""
    try:
        if not path.is_file():
            raise ExportError("no such file" if not path.exists() else "not a regular file", where=str(path))
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise ExportError("the file cannot be read", where=str(path), actual=error.strerror) from None
    if len(data) > LARGEST:
        raise ExportError("the file is too large", where=str(path), expected=f"{LARGEST} bytes at most")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ExportError("the file is not text in UTF-8", where=str(path), actual=str(error)[:80]) from None


def _array(name: str, definition: Definition, text: str) -> tuple[str, Array]:
    """The array of a definition, which must stand in the file to the letter as the exporter writes it."""
    match = TITLE.fullmatch(definition.comment)
    shape = shape_of(match[3], " x ") if match else None
    if not match or shape is None or name != name_of(match[1]):
        raise ExportError("not the title of an array", where=name, expected="NAME: TYPE (SHAPE)")
    with np.errstate(over="ignore", under="ignore"):
        values = _values(definition.term, shape, name).astype(match[2])
    if not np.isfinite(values).all() or "\n".join(["", *matrix(match[1], values), ""]) not in text:
        raise ExportError("an array that is not written as it should be", where=name)
    return match[1], values


def _values(term: Term, shape: Shape, name: str) -> Array:
    rows = [term] if len(shape) == 1 else list(term.parts)
    width = shape[-1]
    if (len(shape) == 2 and len(rows) != shape[0]) or any(len(row.numbers) != width for row in rows):
        raise ExportError("an array is not of the shape that it says", where=name, expected=shape)
    return np.array([row.numbers for row in rows], np.float64).reshape(shape)
