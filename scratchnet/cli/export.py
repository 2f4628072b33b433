"""`scratchnet export`: a trained network as source that runs anywhere, or in an exchange format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from scratchnet.core.errors import ScratchnetError
from scratchnet.export.errors import ExportError
from scratchnet.export.targets import SUFFIXES, target_of, write
from scratchnet.train.shown.formats import size

from .models import open_model


def run(source: str, to: str | None, out: str | None, options: dict[str, Any]) -> int:
    """Read, write, say where; returns the exit code: 0 written, 2 not."""
    to = to or (target_of(out) if out else None)
    if to is None:
        raise click.UsageError(f"name the target: --to {'|'.join(SUFFIXES)}, or an --out that ends in its suffix")
    if to != "python" and any(options.values()):
        raise click.UsageError("--style and --with-backward are of --to python")
    path = Path(_stem(Path(source)) + SUFFIXES[to]) if out is None else Path(out)
    try:
        model = open_model(source)
        if path.exists() and path.samefile(model.path):
            raise ExportError("the file would take the place of its source", where=str(path), hint="--out ANOTHER")
        if model.network is None:
            click.echo(f"error: {source} holds {model.kind}, which does not describe a network to build", err=True)
            return 2
        if not model.verified:
            click.echo(f"{source}: not verified, its numbers are not those that its hash is of", err=True)
        write(model.network, to, path, facts=model.facts, **{k: v for k, v in options.items() if v})
    except ScratchnetError as error:
        click.echo(f"error: {error}", err=True)
        return 2
    click.echo(f"written: {path} ({size(path.stat().st_size)}), {model.network.parameter_count:,} parameters")
    return 0


def _stem(source: Path) -> str:
    """What a file is called without its suffix; a folder has none: runs/lr0.1."""
    source = source.resolve()
    return source.name if source.is_dir() else source.stem
