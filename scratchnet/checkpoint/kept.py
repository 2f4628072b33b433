"""Which checkpoints a folder holds, by its files alone: there is no index that could be lost."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from scratchnet.core.layer import REAL

from .checkpoint import Checkpoint, Position, position
from .errors import CheckpointError, DamagedError
from .file import read_manifest

Way = Literal["min", "max"]

NAME = re.compile(r"(\d{6,})_step(\d+)\.safetensors")
LEFT = re.compile(r"\.\d{6,}_step\d+\.safetensors\..*\.part")  # by a process that was killed while it wrote


class DamagedWarning(UserWarning):
    """A checkpoint was damaged, and was passed over."""


@dataclass(frozen=True)
class Entry:
    """A checkpoint in a folder: its file, where the run stood, and what was measured there."""

    path: Path
    number: int
    at: Position
    metrics: Mapping[str, float]

    def load(self) -> Checkpoint:
        """All of it. Raises DamagedError where the file is not what was written."""
        return Checkpoint.read(self.path)

    @classmethod
    def of(cls, path: Path) -> Entry:
        """The entry of a file, by its manifest. Raises CheckpointError where it has none."""
        manifest = read_manifest(path)
        metrics = manifest.get("metrics")
        if not isinstance(metrics, dict) or not all(isinstance(value, REAL) for value in metrics.values()):
            raise DamagedError("the manifest has no metrics", where=str(path))
        return cls(path, number_of(path), position(manifest, path), metrics)


def name_of(number: int, at: Position) -> str:
    """The name of the file that is written as the number-th of the folder."""
    return f"{number:06d}_step{at.step}.safetensors"


def number_of(path: Path) -> int:
    """Which of the folder's files it is, counted as they were written."""
    found = NAME.fullmatch(path.name)
    return int(found[1]) if found else 0


def files_in(folder: Path) -> list[Path]:
    """The files that are called as checkpoints are, in the order in which they were written."""
    try:
        return sorted((path for path in folder.iterdir() if NAME.fullmatch(path.name)), key=number_of)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise CheckpointError("the folder cannot be read", where=str(folder), actual=error.strerror) from error


def entries_of(folder: Path) -> list[Entry]:
    """What the folder holds, in the order of writing. A DamagedWarning tells of what is no checkpoint any more."""
    entries = []
    for path in files_in(folder):
        try:
            entries.append(Entry.of(path))
        except DamagedError as error:
            _passed_over(error)
    return entries


def newest(folder: Path) -> Checkpoint:
    """The newest checkpoint that is whole. A DamagedWarning tells of newer ones that are not.

    Raises CheckpointError where there is none.
    """
    files = files_in(folder)
    for path in reversed(files):
        try:
            return Checkpoint.read(path)
        except DamagedError as error:
            _passed_over(error)
    raise CheckpointError(
        "there is no checkpoint",
        where=str(folder),
        expected="files such as 000012_step1200.safetensors",
        actual=f"{len(files)}, each damaged" if files else None,
        hint="begin a run in a new folder" if files else "begin a run there first",
    )


def _passed_over(error: DamagedError) -> None:
    warnings.warn(f"this checkpoint is passed over: {error}", DamagedWarning, stacklevel=4)


def sweep(folder: Path) -> None:
    """Take away what a process left that was killed while it wrote."""
    for path in folder.iterdir():
        if LEFT.fullmatch(path.name):
            with suppress(FileNotFoundError):
                path.unlink()


def best_of(entries: Iterable[Entry], metric: str, way: Way) -> Entry | None:
    """The entry of the smallest or largest metric, the first of equal ones. NaN is never best."""
    best: Entry | None = None
    for entry in entries:
        value = entry.metrics.get(metric, math.nan)
        if not math.isnan(value) and (
            best is None or (value < best.metrics[metric] if way == "min" else value > best.metrics[metric])
        ):
            best = entry
    return best
