"""`scratchnet doctor`: why does this training run fail?"""

from __future__ import annotations

import json
import sys

import click

from scratchnet.core.errors import ScratchnetError
from scratchnet.diagnose import Diagnosis, diagnose, prove
from scratchnet.diagnose.report import show
from scratchnet.train import read_run
from scratchnet.train.shown.console import Report

INTERRUPTED = 130
"""The exit code after Ctrl-C."""


def run(
    path: str, as_json: bool = False, html: str | None = None, recipe: str | None = None, budget: float = 45.0
) -> int:
    """Read, diagnose, prove where there is a recipe, print, and return the exit code.

    0 nothing was found, 1 something was, 2 nothing could be read, checked or written, 130 interrupted: then what is
    known is shown.
    """
    ended = 0
    try:
        history = read_run(path)
        diagnosis = diagnose(history)
        if recipe is not None:
            diagnosis, ended = _proven(diagnosis, recipe, budget)
        if html is not None:
            from scratchnet.diagnose.page import write_page

            write_page(html, history, diagnosis)
    except ScratchnetError as error:
        click.echo(f"error: {error}", err=True)
        return 2
    if as_json:
        click.echo(json.dumps(diagnosis.as_dict(), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        show(diagnosis, sys.stdout)
    return ended or (1 if diagnosis.findings else 0 if diagnosis.fine else 2)


def _proven(diagnosis: Diagnosis, target: str, budget: float) -> tuple[Diagnosis, int]:
    """The diagnosis after the trials, and 130 where Ctrl-C ended them."""
    from .recipe_file import recipe_in

    try:
        diagnosis = prove(diagnosis, recipe_in(target), budget=budget, report=Report(file=sys.stderr))
    except KeyboardInterrupt:
        click.echo("interrupted before anything was tried", err=True)
        return diagnosis, INTERRUPTED
    if diagnosis.proof is None and diagnosis.findings:
        click.echo("nothing was tried: no suspect has a cure that a recipe can be given", err=True)
    return diagnosis, INTERRUPTED if diagnosis.proof is not None and diagnosis.proof.interrupted else 0
