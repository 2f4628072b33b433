"""read_run: whatever tells of a run becomes a History."""

from __future__ import annotations

from pathlib import Path

from ...errors import HistoryError
from ..history import History
from .foreign import read_foreign
from .opening import HEAD, encoding_of
from .run import HISTORY, read_folder


def read_run(path: str | Path) -> History:
    """The history of a run, as far as it can be read; `notes` says what could not.

        read_run("runs/mlp"), read_run("history.json"), read_run("train.log")

    A file is read line by line and kept thinned out where it is long, so that its size does not matter; only a JSON
    document in many lines is loaded as a whole, up to 64 MiB.

    Args:
        path: a folder that RunDir wrote, or the history.jsonl in it; a history of another program as JSON (a document,
            or an object a line) or CSV; or what a training loop printed.

    Raises:
        HistoryError: there is nothing there that tells of a run. What, where and why is said.
    """
    path = Path(path)
    try:
        if path.is_dir():
            return read_folder(path)
        with open(path, "rb") as file:
            head = file.read(HEAD)
        encoding = encoding_of(path, head)
        if path.name == HISTORY and b'"kind"' in head:
            return read_folder(path.parent)
        return read_foreign(path, encoding, head)
    except FileNotFoundError as error:
        raise HistoryError("there is no such run", where=str(path), expected="a folder or a file") from error
    except OSError as error:
        raise HistoryError("the run cannot be read", where=str(path), actual=error.strerror or str(error)) from error
