"""A network from the module that `python` wrote. No byte of the file is ever run.

The file must be what the emitter writes. Its docstring says which network it holds; the numbers are read by a grammar
of their own; from both, all other lines are written anew and compared with the file's, letter by letter. So nothing of
the file's code needs to be understood, and none that was put in is passed over.
"""

from __future__ import annotations

import json
import math
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from scratchnet import __version__
from scratchnet.checkpoint.architecture import build, shapes_of
from scratchnet.core.errors import ScratchnetError
from scratchnet.core.types import Array, Shape

from ..about import About, Fact, about_from, digest_of
from ..errors import ExportError
from .emit import ARCHITECTURE, FENCE, FIRST, Style, frame_of
from .model import stored_names
from .numbers import read_literal, read_packed

if TYPE_CHECKING:
    from scratchnet.core.network import Network

LARGEST_FILE = 1 << 26
"""Bytes of a file that is read: a text of 64 MiB holds some five million numbers as literals."""

LARGEST_NETWORK = 1 << 27
"""Bytes of all numbers together. Packed text may say more than it holds."""

LARGEST_DESCRIPTION = 1 << 15
"""Characters of the docstring: four thousand layers, which take seconds. A hundred attention blocks take 10,000."""


@dataclass(frozen=True)
class Loaded:
    """What a source file holds.

    Attributes:
        network: the network, with the file's numbers.
        facts: what the file says of the training.
        verified: whether the numbers are those that were exported, by the hash in the file. A number of the literal
            style may have been changed by hand; the rest of the file cannot.
    """

    network: Network
    facts: dict[str, Fact]
    verified: bool


def load_source(path: str | Path, *, backend: str = "cpu") -> Loaded:
    """Read back what `scratchnet.export.python_source` wrote, without running any of it.

    Raises:
        ExportError: where the file cannot be read, is larger than 64 MiB, is not what this version of scratchnet
            writes, or is packed and does not fit its hashes.
    """
    text = _text(Path(path))
    with _told(str(path)):
        return _loaded(text.split("\n"), str(path), backend)


def _text(path: Path) -> str:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe would never end
            raise ExportError("no file", where=str(path), hint="give a .py file that scratchnet exported")
        with path.open("rb") as file:
            content = file.read(min(status.st_size, LARGEST_FILE) + 1)  # as much as is asked for is taken at once
    except OSError as error:
        raise ExportError("the file cannot be read", where=str(path), actual=error.strerror) from None
    if len(content) > LARGEST_FILE:
        raise ExportError("the file is too large", where=str(path), expected=f"{LARGEST_FILE:,} bytes at most")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise ExportError("the file is no text in UTF-8", where=f"{path}, byte {error.start}") from None
    if not text.startswith(FIRST + "\n") or "\0" in text:
        raise ExportError("no network that scratchnet exported to Python", where=str(path), expected=FIRST)
    return text


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Whatever a file makes the layers, the recorder or the emitter raise is told as one kind of error."""
    try:
        yield
    except ExportError as error:
        error.where = path if error.where is None else f"{path}, {error.where}"
        raise
    except ScratchnetError as error:
        raise ExportError("the file describes no network", where=path, actual=str(error)) from error
    except Exception as error:  # such as a recursion too deep, numbers too large for NumPy
        raise ExportError("the file describes no network", where=path, actual=type(error).__name__) from error


def _loaded(lines: Sequence[str], path: str, backend: str) -> Loaded:
    about, style, with_backward, description = _docstring(lines)
    if about.version != __version__:
        raise ExportError(
            "written by another version of scratchnet",
            expected=__version__,
            actual=about.version[:40],
            hint="its own version reads it; so does its checkpoint, with any",
        )
    shapes = _shapes(description)
    start = _index(lines, FENCE) + 2
    arrays, end = _numbers(lines, start, shapes, style, description["dtype"])
    net = build(description, backend=backend)
    for store in (net.parameters, net.buffers):
        store.load({name: arrays[description["ties"].get(name, name)] for name in store.views})
    if about.parameters != net.parameter_count:
        raise ExportError("another number of parameters", expected=net.parameter_count, actual=about.parameters)
    frame = frame_of(net, about, style, with_backward)
    _compare(lines[:start], frame.head, 1)
    _compare(lines[end:], [*frame.tail, ""], end + 1)
    verified = digest_of(net) == about.sha256
    if style == "packed" and not verified:
        raise ExportError("the numbers are not those that the file's hash is of", expected=about.sha256)
    return Loaded(net, dict(about.facts), verified)


def _docstring(lines: Sequence[str]) -> tuple[About, Style, bool, dict[str, Any]]:
    """What the head of the file says."""
    begin, middle, end = _index(lines, "", 2) + 1, _index(lines, ARCHITECTURE), _index(lines, '"""')
    if not begin + 2 < middle < end - 3 or sum(map(len, lines[:end])) > LARGEST_DESCRIPTION:
        raise ExportError("the docstring is none of an exported network", where="line 1")
    *known, style, backward, _ = lines[begin:middle]
    about = about_from(known)
    if style not in ("style: literal", "style: packed") or backward not in ("backward: yes", "backward: no"):
        raise ExportError("an unknown style", where=f"line {middle - 2}", actual=repr(style[:40]))
    text = " ".join(line.strip() for line in lines[middle + 2 : end - 2])
    try:
        description = json.loads(text)
    except (ValueError, RecursionError):
        raise ExportError("the architecture cannot be read", where=f"line {middle + 3}") from None
    if not isinstance(description, dict):
        raise ExportError("the architecture cannot be read", where=f"line {middle + 3}")
    return about, cast(Style, style.removeprefix("style: ")), backward == "backward: yes", description


def _index(lines: Sequence[str], line: str, start: int = 0) -> int:
    try:
        return lines.index(line, start)
    except ValueError:
        raise ExportError("a line is missing", expected=repr(line)) from None


def _shapes(description: Mapping[str, Any]) -> dict[str, Shape]:
    """The shapes of what the file must hold, before any memory is taken for it."""
    shapes, ties = shapes_of(description), description.get("ties")
    if not isinstance(ties, dict) or description.get("dtype") not in ("float32", "float64"):
        raise ExportError("the architecture cannot be read", actual="ties or dtype")
    shapes = {name: shape for name, shape in shapes.items() if name not in ties}
    size = sum(math.prod(shape) for shape in shapes.values()) * (8 if description["dtype"] == "float64" else 4)
    if size > LARGEST_NETWORK:
        raise ExportError("a network too large to load", expected=f"{LARGEST_NETWORK:,} bytes", actual=f"{size:,}")
    return shapes


def _numbers(
    lines: Sequence[str], at: int, shapes: Mapping[str, Shape], style: Style, dtype: str
) -> tuple[dict[str, Array], int]:
    """The arrays, and the line after them."""
    read, arrays = read_literal if style == "literal" else read_packed, {}
    for name, text in stored_names(shapes).items():
        arrays[name], at = read(lines, at, text, shapes[name], dtype)
    return arrays, at


def _compare(found: Sequence[str], expected: Sequence[str], number: int) -> None:
    """Raise ExportError at the first line that differs."""
    for at, (line, wanted) in enumerate(zip_longest(found, expected), number):
        if line != wanted:
            raise ExportError(
                "not what scratchnet writes",
                where=f"line {at}",
                expected="the end of the file" if wanted is None else repr(wanted[:200]),
                actual="the end of the file" if line is None else repr(line[:200]),
            )
