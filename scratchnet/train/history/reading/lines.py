"""A file line by line, none longer than memory allows, and lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, Any, AnyStr

from .notes import Notes

LONGEST = 1 << 26
"""Bytes of a line that is still read: 64 MiB, a confusion matrix of 4,000 classes."""


def lines(file: IO[AnyStr], notes: Notes) -> Iterator[AnyStr]:
    """The lines without their ends; `notes.where` names the one at hand. Longer ones are left out, with a note."""
    number = 0
    while line := file.readline(LONGEST + 1):
        number += 1
        notes.where = f"line {number}"
        if len(line) > LONGEST:
            notes(f"left out, it is longer than {LONGEST >> 20} MiB")
            while line and line[-1:] not in ("\n", b"\n"):
                line = file.readline(1 << 20)
            continue
        yield line.rstrip()
    notes.where = ""


def parse(line: bytes | str) -> Any:
    """The JSON of a line. Raises ValueError for whatever is wrong with it."""
    try:
        return json.loads(line)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def objects(file: IO[bytes], notes: Notes) -> Iterator[dict[str, Any]]:
    """The JSON objects of lines; any other line is left out, with a note. The last one may have been cut."""
    broken = None
    for line in lines(file, notes):
        if not line.strip(b" \t\0"):  # a crash of the system may leave zeros
            continue
        if broken is not None:
            at, notes.where = notes.where, broken
            notes("left out, it is not JSON")
            notes.where, broken = at, None
        try:
            value = parse(line)
        except ValueError:
            broken = notes.where
            continue
        if isinstance(value, dict):
            yield value
        else:
            notes("left out, it is not a record")
    if broken is not None:
        notes.where = broken
        notes("the last line is broken off and left out: the run may have been cut here")
        notes.where = ""
