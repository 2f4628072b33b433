"""Recorded runs of the benchmark on disk: a run directory each, and one file that says what was done to them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from _doctor_score import Row

from scratchnet.train.history.history import History
from scratchnet.train.history.reading import read_run
from scratchnet.train.history.records import Losses, Record
from scratchnet.train.history.run_dir import RunDir

LABELS = "labels.json"
PIECE = 200  # losses a record


def write_run(folder: Path, history: History) -> None:
    """The history as a run directory."""
    with RunDir(folder, history.config) as run:
        for record in records(history):
            run.write(record)


def records(history: History) -> Iterator[Record]:
    """The records that the history was made of, near enough."""
    yield from history.data.values()
    for at in range(0, len(history.losses), PIECE):
        stop = at + PIECE
        yield Losses(first=at + 1, values=tuple(history.losses[at:stop]), lr=tuple(history.lrs[at:stop]) or None)
    yield from history.looks
    yield from history.events
    yield from history.epochs
    if history.end is not None:
        yield history.end


def read_runs(folder: Path) -> list[tuple[Row, History | None]]:
    """What `--record` wrote there. Raises FileNotFoundError where it wrote nothing."""
    rows = [Row(**given) for given in json.loads((folder / LABELS).read_text("utf-8"))]
    return [(row, read_run(folder / row.id) if row.kept else None) for row in rows]


def write_labels(folder: Path, rows: list[Row]) -> None:
    """What was done to each run. Rows of an earlier recording that are not among these stay."""
    path = folder / LABELS
    old = [Row(**given) for given in json.loads(path.read_text("utf-8"))] if path.exists() else []
    now = {row.id: row for row in (*old, *rows)}
    path.write_text(json.dumps([asdict(row) for row in now.values()], indent=1) + "\n", "utf-8")
