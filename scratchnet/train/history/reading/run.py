"""Reading a folder that RunDir wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...errors import HistoryError
from ..codec import Misfit, decode
from ..history import History
from ..records import Record
from .gather import Gatherer
from .lines import LONGEST, objects, parse
from .notes import Notes

CONFIG, HISTORY, SUMMARY = "config.json", "history.jsonl", "summary.json"


def records_of(path: Path, notes: Notes | None = None) -> Iterator[Record]:
    """The records of a history.jsonl, one after the other. What cannot be read is left out, with a note."""
    notes = notes or Notes()
    with open(path, "rb") as file:
        for told in objects(file, notes):
            try:
                yield decode(told, notes)
            except Misfit as misfit:
                notes(f"left out: {misfit}")


def read_folder(path: Path) -> History:
    """The run in a folder. Raises HistoryError where the folder holds none."""
    history, notes = History(source=str(path)), Notes()
    there = [name for name in (CONFIG, HISTORY) if (path / name).is_file()]
    if not there:
        raise HistoryError(
            "the folder holds no run",
            where=str(path),
            expected=f"a {HISTORY}",
            actual=_listed(path),
            hint="name the folder that RunDir wrote, or a single file: a history as JSON, or a log",
        )
    history.config = _config(path / CONFIG, notes)
    gatherer = Gatherer(history, notes)
    if HISTORY in there:
        for record in records_of(path / HISTORY, notes):
            gatherer.add(record)
    if not (gatherer.epochs.items or gatherer.history.data or gatherer.looks.items or gatherer.losses.values):
        notes("nothing was recorded of this run")
    return gatherer.close()


def _config(path: Path, notes: Notes) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            config = parse(file.read(LONGEST))
        if isinstance(config, dict):
            return config
        notes(f"{CONFIG} holds no settings")
    except FileNotFoundError:
        notes(f"there is no {CONFIG}: nothing is known of the settings")
    except (OSError, ValueError) as error:
        notes(f"{CONFIG} cannot be read: {json.dumps(str(error))}")
    return {}


def _listed(path: Path) -> str:
    names = sorted(entry.name for entry in path.iterdir())
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "") if names else "nothing"
