"""A run's folder: config.json, history.jsonl (a record a line, written as it happens), summary.json at the end."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from scratchnet.data.files import replacing

from ..errors import RecordError
from .codec import encode, plain
from .reading.run import CONFIG, HISTORY, SUMMARY, records_of
from .records import End, Record
from .run_summary import RunSummary


class RunDir:
    """Keeps a run's records in a folder of its own.

        with RunDir("runs/mlp", {"lr": 0.1, "layers": net.layers}) as run:
            monitor = Monitor(net, loss, optimizer, run=run)

    Every record is handed to the system as one line before `write` returns: if the process dies, what was written
    stays, and at worst the last line is cut. An End record also writes the summary, which is there as a whole or not.

    Args:
        path: the folder, made if need be. What else lies in it stays.
        config: settings, of any kind; what JSON cannot say is written as its repr.
        resume: go on with the run that is there, if one is: records are appended, and `config` takes the place of the
            old one if it is given.

    Raises:
        RecordError: the folder holds a run and `resume` is False, or nothing can be written there, now or later.
    """

    def __init__(self, path: str | Path, config: Mapping[str, Any] | None = None, *, resume: bool = False) -> None:
        self.path = Path(path)
        self._summary = RunSummary()
        there = [name for name in (HISTORY, CONFIG, SUMMARY) if (self.path / name).exists()]
        if there and not resume:
            raise RecordError(
                "the folder holds a run already",
                where=str(self.path),
                expected="a new or empty folder",
                actual=", ".join(there),
                hint="name another folder, or go on with that run: RunDir(path, resume=True)",
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._whole = self._take_up() if HISTORY in there else True
            if config is not None or CONFIG not in there:
                self._put(CONFIG, config or {})
            self._file = open(self.path / HISTORY, "ab" if HISTORY in there else "xb", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise self._error(error) from error

    def __enter__(self) -> RunDir:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def write(self, record: Record) -> None:
        """Append a record. Raises RecordError, with the reason; whatever was written before stays readable."""
        line = encode(record).encode("ascii") + b"\n"
        line = line if self._whole else b"\n" + line  # behind a line that was cut
        try:
            self._whole = False
            written = self._file.write(line)
            if written != len(line):  # a full disk takes a part, and says why when asked for more
                self._file.write(line[written:])
            self._whole = True
            self._summary.add(record)
            if isinstance(record, End):
                os.fsync(self._file.fileno())
                self._put(SUMMARY, self._summary.figures())
        except OSError as error:
            raise self._error(error) from error
        except ValueError as error:
            raise RecordError("the run is closed", where=str(self.path), hint="write before close()") from error

    def state_dict(self) -> dict[str, int]:
        """How much has been written, which is on the disk then: what a checkpoint keeps of a run's history."""
        try:
            os.fsync(self._file.fileno())
            return {"bytes": os.fstat(self._file.fileno()).st_size}
        except OSError as error:
            raise self._error(error) from error

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Go back to there: what was written after it is cut off. Raises RecordError where there is less."""
        size = os.fstat(self._file.fileno()).st_size
        if not 0 <= state["bytes"] <= size:
            raise RecordError(
                "the history is shorter than the checkpoint says",
                where=str(self.path / HISTORY),
                expected=f"{state['bytes']:,} bytes",
                actual=f"{size:,} bytes",
            )
        try:
            os.truncate(self.path / HISTORY, state["bytes"])
            self._summary = RunSummary()
            self._whole = self._take_up()
        except OSError as error:
            raise self._error(error) from error

    def close(self) -> None:
        """Nothing more is written. May be called again."""
        self._file.close()

    def _take_up(self) -> bool:
        """Count what is there into the summary; whether its last line is whole."""
        for record in records_of(self.path / HISTORY):
            self._summary.add(record)
        with open(self.path / HISTORY, "rb") as file:
            file.seek(0, os.SEEK_END)
            if not file.tell():
                return True
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"

    def _put(self, name: str, figures: Mapping[str, Any]) -> None:
        with replacing(self.path / name) as file:
            file.write((json.dumps(plain(figures), indent=2, allow_nan=False) + "\n").encode("ascii"))

    def _error(self, error: OSError) -> RecordError:
        reason = error.strerror or str(error)
        return RecordError("the run cannot be written", where=str(error.filename or self.path), actual=reason)
