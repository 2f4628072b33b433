"""`scratchnet plot`: runs as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from scratchnet.core.errors import ScratchnetError
from scratchnet.train import History, read_run
from scratchnet.train.shown.plots import plot


def run(paths: Sequence[str], out: str) -> int:
    """Read, draw, say where; returns the exit code: 0 drawn, 2 not."""
    runs: dict[str, History] = {}
    try:
        for path, name in zip(paths, names(paths), strict=True):
            runs[name] = read_run(path)
            for note in runs[name].notes:
                click.echo(f"{name}: {note}", err=True)
        click.echo(f"drawn: {plot(runs, out)}")
    except ScratchnetError as error:
        click.echo(f"error: {error}", err=True)
        return 2
    except OSError as error:
        click.echo(f"error: {out} cannot be written: {error.strerror or error}", err=True)
        return 2
    return 0


def names(paths: Sequence[str]) -> list[str]:
    """The shortest ends of the paths that differ from each other; a run given twice is numbered."""
    parts = [Path(path).resolve().parts for path in paths]
    for many in range(1, max(map(len, parts)) + 1):
        found = ["/".join(part[-many:]) for part in parts]
        if len(set(found)) == len(found):
            return found
    return [f"{'/'.join(part[-1:])} ({i})" for i, part in enumerate(parts, 1)]
