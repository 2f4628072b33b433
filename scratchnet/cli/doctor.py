"""`scratchnet doctor`: why does this training run fail?"""

from __future__ import annotations

import json
import sys

import click

from scratchnet.core.errors import ScratchnetError
from scratchnet.diagnose import diagnose
from scratchnet.diagnose.report import show
from scratchnet.train import read_run


def run(path: str, as_json: bool, html: str | None = None) -> int:
    """Read, diagnose, print, and return the exit code.

    0 nothing was found, 1 something was, 2 nothing could be read, checked or written.
    """
    try:
        history = read_run(path)
    except ScratchnetError as error:
        click.echo(f"error: {error}", err=True)
        return 2
    diagnosis = diagnose(history)
    if html is not None:
        from scratchnet.diagnose.page import write_page

        try:
            write_page(html, history, diagnosis)
        except ScratchnetError as error:
            click.echo(f"error: {error}", err=True)
            return 2
    if as_json:
        click.echo(json.dumps(diagnosis.as_dict(), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        show(diagnosis, sys.stdout)
    return 1 if diagnosis.findings else 0 if diagnosis.fine else 2
