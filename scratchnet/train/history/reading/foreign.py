"""Files of other programs: JSON documents, objects a line, tables, and the text of a console."""

from __future__ import annotations

from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from ...errors import HistoryError
from ..codec import Misfit, decode
from ..history import History
from ..records import End
from .collect import Collector
from .document import BROKEN, mended, take_document
from .gather import Gatherer
from .lines import LONGEST, lines, parse
from .notes import Notes
from .rows import Row, row_of
from .text import clean, header, row_of_text


def read_foreign(path: Path, encoding: str, head: bytes) -> History:
    """The history in a file. Raises HistoryError where nothing in it tells of a run."""
    notes = Notes()
    gatherer = Gatherer(History(source=str(path)), notes)
    collector = Collector(gatherer)
    document = _document(path, encoding, head)
    if document is not None:
        take_document(document[0], collector)
        if document[1]:
            notes(BROKEN)
    else:
        with open(path, encoding=encoding, errors="replace", newline="\n") as file:
            _Lines(collector, notes).take(file)
    collector.close()
    history = gatherer.close()
    if not (history.epochs or history.losses or history.looks or history.data):
        first = head.decode("latin-1").strip().splitlines()[0]
        raise HistoryError(
            "nothing in the file tells of a run",
            where=str(path),
            expected='lines such as "Epoch 3/15 loss: 0.41 acc: 97.1%", or JSON such as {"loss": [2.3, 1.9]}',
            actual=f"it begins with {first[:60]!r}",
            hint="; ".join(history.notes) or None,
        )
    if not history.epochs:
        history.notes.append("no epoch is told of as a whole")
    return history


def _document(path: Path, encoding: str, head: bytes) -> tuple[Any, bool] | None:
    """The file as one JSON document, and whether its end is missing; None where it is none, or too large for one."""
    start = head.decode(encoding if encoding != "utf-16" else "utf-16", "replace").lstrip()
    if start[:1] not in ("{", "[") or path.stat().st_size > LONGEST or _objects_a_line(start):
        return None
    text = path.read_text(encoding, "replace")
    try:
        return parse(text), False
    except ValueError:
        value = mended(text)
        return None if value is None else (value, True)


def _objects_a_line(start: str) -> bool:
    """Whether the first line is an object by itself, and not the only one or one of a run."""
    first, _, rest = start.partition("\n")
    try:
        value = parse(first)
    except ValueError:
        return False
    return isinstance(value, dict) and (bool(rest.strip()) or "kind" in value)


class _Lines:
    """Takes lines: of JSON, of a table, or text."""

    def __init__(self, collector: Collector, notes: Notes) -> None:
        self.collector, self.notes = collector, notes
        self.table: Callable[[str], Row | None] | None = None
        self.failing = False  # below "Traceback", until its last line

    def take(self, file: TextIOWrapper) -> None:
        """All lines of a file."""
        for whole in lines(file, self.notes):
            if "\ufffd" in whole:
                self.notes("bytes that are not UTF-8 are read as \ufffd")
            for line in whole.replace("\b", "\r").split("\r") if "\r" in whole or "\b" in whole else (whole,):
                self._line(line)
        self.notes.where = ""

    def _line(self, line: str) -> None:
        if line.startswith("{") and self._object(line):
            return
        line = clean(line)
        row = self.table(line) if self.table else None
        if row is None and line[:1].isalpha() and not any(c.isdigit() for c in line):
            self.table = header(line) or self.table
        row = row or row_of_text(line)
        if row is not None:
            self.collector.add(row)
        self._ended(line)

    def _object(self, line: str) -> bool:
        try:
            told = parse(line)
        except ValueError:
            return False
        if not isinstance(told, dict):
            return False
        if "kind" not in told:
            self.collector.add(row_of(told, self.notes))
            return True
        try:
            self.collector.gatherer.add(decode(told, self.notes))
        except Misfit as misfit:
            self.notes(f"left out: {misfit}")
        return True

    def _ended(self, line: str) -> None:
        """Whether it says how the run ended: a traceback, whose last line says why, or Ctrl-C."""
        history = self.collector.gatherer.history
        if line.startswith("Traceback (most recent call last)"):
            self.failing = True
        elif self.failing and line and not line[0].isspace():
            self.failing = False
            how = "interrupted" if line.startswith("KeyboardInterrupt") else "stopped"
            history.end = End(how=how, message=line[:500])
        elif line.startswith("interrupted after "):  # what scratchnet says
            history.end = End(how="interrupted", message=line[:500])
        elif line.startswith("error: "):
            history.end = End(how="stopped", message=line[:500])
