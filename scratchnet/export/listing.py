"""How a source file is read without running or compiling it: line by line, and no line that is not as expected."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from scratchnet.checkpoint.digest import digest
from scratchnet.core.types import Array, Shape

from .about import ARCHITECTURE, ENDS
from .errors import ExportError
from .held import Held

LONGEST = 400  # characters of a line
NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?(e[+-][0-9]{1,3})?", re.A)
"""A constant, as exporters write it: a sign, digits, a fraction, an exponent."""


def held(lines: Iterable[str], architecture: Iterable[str], arrays: Mapping[str, Array]) -> Held:
    """From `label: value` lines and the wrapped architecture."""
    metadata = dict(line.split(": ", 1) for line in lines)
    text = " ".join(line.strip() for line in architecture)
    right = digest(arrays) == metadata[ENDS[-1]] if ENDS[-1] in metadata else None
    return Held(metadata | ({"architecture": text} if text else {}), arrays, right)


class Lines:
    """A text file, line by line; what is not as expected is an ExportError that names the line."""

    def __init__(self, file: TextIO, path: Path) -> None:
        self._file, self._path, self._number = file, path, 0

    def next(self) -> str:
        """The next line, without its end."""
        self._number += 1
        line = self._file.readline(LONGEST)
        if not line.endswith("\n"):
            raise self.refuse("the file ends too soon" if len(line) < LONGEST else "a line that is too long")
        return line[:-1]

    def expect(self, *lines: str) -> None:
        """The next lines must be these."""
        for line in lines:
            if (found := self.next()) != line:
                raise self.refuse("a line that is not as expected", line, found)

    def metadata(self, indent: str) -> tuple[str, ...]:
        """`label: value` lines up to an empty one."""
        found = []
        while line := self.next():
            if not line.startswith(indent) or ": " not in line:
                raise self.refuse("a line of metadata that is not as expected", f"{indent}label: value", line)
            found.append(line.removeprefix(indent))
        return tuple(found)

    def architecture(self, indent: str) -> tuple[str, ...]:
        """The lines of the architecture, up to an empty one."""
        self.expect(indent + ARCHITECTURE, "")
        found = []
        while line := self.next():
            if not line.startswith(indent + "    "):
                raise self.refuse("a line of the architecture that is not as expected", actual=line)
            found.append(line)
        return tuple(found)

    def refuse(self, what: str, expected: str | None = None, actual: str | None = None) -> ExportError:
        """An error at this line."""
        shown = None if actual is None else repr(actual[:80])
        return ExportError(what, where=f"{self._path}, line {self._number}", expected=expected, actual=shown)


@contextmanager
def opened(path: str | Path) -> Iterator[Lines]:
    """The lines of a regular file of UTF-8.

    Raises:
        ExportError: where it cannot be read.
    """
    path = Path(path)
    try:
        if not path.is_file():
            raise ExportError("no such file" if not path.exists() else "not a regular file", where=str(path))
        with path.open(encoding="utf-8", newline="\n") as file:
            yield Lines(file, path)
    except OSError as error:
        raise ExportError("the file cannot be read", where=str(path), actual=error.strerror) from None
    except ValueError as error:
        if isinstance(error, ExportError):
            raise
        raise ExportError("the file is not text in UTF-8", where=str(path), actual=str(error)[:80]) from None


def shape_of(text: str, separator: str) -> Shape | None:
    """Of "128 x 784": (128, 784); None for what is no shape."""
    parts = text.split(separator) if text else []
    if len(parts) > 8 or not all(re.fullmatch("[1-9][0-9]{0,9}", part, re.A) for part in parts):
        return None
    shape = tuple(map(int, parts))
    return shape if math.prod(shape) < 2**31 else None
