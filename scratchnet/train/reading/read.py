"""read_run: whatever tells of a run becomes a History."""

from __future__ import annotations

from pathlib import Path

from ..errors import HistoryError
from ..history import History
from .run import HISTORY, read_folder


def read_run(path: str | Path) -> History:
    """The history of a run, as far as it can be read; `notes` says what could not.

    Args:
        path: a folder that RunDir wrote, or the history.jsonl in it.

    Raises:
        HistoryError: there is nothing there that tells of a run.
    """
    path = Path(path)
    try:
        if path.is_dir():
            return read_folder(path)
        if path.name == HISTORY and path.is_file():
            return read_folder(path.parent)
        raise HistoryError("there is no such run", where=str(path))
    except OSError as error:
        raise HistoryError("the run cannot be read", where=str(path), actual=error.strerror or str(error)) from error
