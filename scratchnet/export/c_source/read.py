"""The numbers of an exported C file, without compiling it. What the exporter would not write is refused.

Only what stands before the functions is read: nothing says that a compiler would make of the rest what it says.
"""

from __future__ import annotations

import math
import re
from array import array as growing
from pathlib import Path

import numpy as np

from scratchnet.core.types import Array

from ..held import Held
from ..listing import NUMBER, Lines, held, opened, shape_of
from .emit import AFTER, FENCE, FIRST
from .text import PER_LINE, SUFFIX, heading, numbers

TITLE = re.compile(r"/\* ([\w.]{1,200}): (float32|float64) \(([0-9 x]{0,100})\) \*/", re.A)
TIE = re.compile(r"/\* ([\w.]{1,200}) is ([\w.]{1,200}) \*/", re.A)
NAME = re.compile(r"static const (?:float|double) ([A-Za-z]\w{0,200})\[", re.A)
SIGNATURE = re.compile(r"(int|void) \w+_(predict|logits)\((const (float|double|int) \*\w+, )*[\w *]+\);", re.A)
BLOCK = 4096  # lines that are read at a time


def read_c(path: str | Path) -> Held:
    """Metadata and arrays of a C file that `scratchnet.export.c_source` wrote.

    Raises:
        ExportError: for a file that cannot be read, or that is not as the exporter writes it.
    """
    with opened(path) as lines:
        lines.expect(FIRST, "")
        metadata, architecture = lines.metadata("   "), lines.architecture("   ")
        while lines.next() != "*/":
            pass
        lines.expect("", "#include <math.h>", "#include <stddef.h>", "")
        while line := lines.next():
            if not SIGNATURE.fullmatch(line):
                raise lines.refuse("not the head of a function", actual=line)
        lines.expect(FENCE, "")
        arrays: dict[str, Array] = {}
        while (line := lines.next()) != AFTER:
            if tie := TIE.fullmatch(line):
                if tie[2] not in arrays or tie[1] in arrays:
                    raise lines.refuse("a tie of arrays that are not there", actual=line)
                arrays[tie[1]] = arrays[tie[2]]
            else:
                name, values = _array(line, lines)
                if name in arrays:
                    raise lines.refuse("an array that was there before", actual=name)
                arrays[name] = values
            lines.expect("")
        return held(metadata, architecture, arrays)


def _array(title: str, lines: Lines) -> tuple[str, Array]:
    match = TITLE.fullmatch(title)
    shape = shape_of(match[3], " x ") if match else None
    if not match or shape is None:
        raise lines.refuse("not the title of an array", "/* NAME: TYPE (SHAPE) */", title)
    opening = lines.next()
    name = NAME.match(opening)
    if not name or [title, opening] != heading(match[1], name[1], match[2], shape):
        raise lines.refuse("not the opening of an array", actual=opening)
    count, width = math.prod(shape), shape[-1] if shape else 1
    found, row = growing("d"), 0
    while len(found) < count:
        texts: list[str] = []
        for _ in range(BLOCK):
            here = lines.next()
            held = min(PER_LINE[match[2]], width - row)
            part = here[4:-1].split(", ")
            if here[:4] != "    " or here[-1:] != "," or len(part) != held:
                raise lines.refuse(f"not a line of {held} numbers", actual=here)
            texts += part
            row = (row + held) % width
            if len(found) + len(texts) == count:
                break
        found.extend(_values(texts, match[2], lines))
    lines.expect("};")
    return match[1], np.array(found, dtype=match[2]).reshape(shape)


def _values(texts: list[str], dtype: str, lines: Lines) -> Array:
    """Numbers from constants, which must be written as the exporter writes them."""
    suffix = SUFFIX[dtype]
    plain = [text.removesuffix(suffix) for text in texts]
    if not all(map(NUMBER.fullmatch, plain)):
        raise lines.refuse("not a number, in this line or a little before")
    with np.errstate(over="ignore", under="ignore"):
        values = np.array(plain, np.float64).astype(dtype)
    if not np.isfinite(values).all() or numbers(values) != texts:
        raise lines.refuse("a number that is not written as it should be, in this line or a little before")
    return values
