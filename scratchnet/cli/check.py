"""`scratchnet check`: hold the hand-written gradients of a file, or of the whole registry, against their functions."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

from scratchnet.check.files import FileError, check_file
from scratchnet.check.optional import MissingPackageError
from scratchnet.check.picture import save_picture
from scratchnet.check.registry import check_registry
from scratchnet.check.report import Report, Verdict
from scratchnet.core.errors import ScratchnetError

INTERRUPTED = 130
"""The exit code after Ctrl-C."""


def run(target: str | None, everything: bool, as_json: bool, seed: int, pictures: str | None = None) -> int:
    """Check, print, and return the exit code.

    0 all right, 1 something wrong or vacuous, 2 nothing could be checked, 130 interrupted: then what was done is shown.
    Into the folder `pictures`, if given, goes a PNG of every wrong gradient.
    """
    if everything == (target is not None):
        raise click.UsageError("name a file, FILE.py or FILE.py::NAME, or pass --all, and not both")
    reports, began, ended = [], time.perf_counter(), 0
    if everything and not as_json:
        click.echo(f"{'':<24}{'':<9}{'proven by':<20}{'digits':>6}{'cases':>7}{'seconds':>9}")
    try:
        for report in _aside(check_registry(seed) if everything else _file(str(target), seed), as_json):
            reports.append(report)
            if not as_json:
                _show(_row(report) if everything else str(report), report)
            if pictures is not None and any(finding.wrong for finding in report.findings):
                _draw(report, Path(pictures), as_json)
    except FileError as error:
        click.echo(str(error), err=True)
        return 2
    except KeyboardInterrupt:
        click.echo(f"interrupted after {len(reports)} reports", err=True)
        ended = INTERRUPTED
    verdicts = [report.verdict for report in reports]
    if as_json:
        click.echo(json.dumps([report.as_dict() for report in reports], indent=2))
    else:
        counts = ", ".join(f"{verdicts.count(v)} {v.value}" for v in Verdict if v in verdicts)
        click.echo(f"{counts or 'nothing was checked'} in {time.perf_counter() - began:.1f} s")
    return ended or (0 if all(reports) else 1)


def _show(text: str, report: Report) -> None:
    """The lines of what is wrong in red, unless NO_COLOR is set (no-color.org)."""
    for line in text.splitlines():
        red = not report and not line.lstrip().startswith("PASS") and not os.environ.get("NO_COLOR")
        click.secho(line, fg="red" if red else None)


def _draw(report: Report, folder: Path, as_json: bool) -> None:
    """A picture is beside the point: that it cannot be drawn is said, and the checks go on."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        told = f"  drawn   {save_picture(report, folder / f'{report.name}.png')}"
    except (OSError, ScratchnetError) as error:
        why = str(error) if isinstance(error, MissingPackageError) else f"{type(error).__name__}: {error}"
        told = f"  not drawn: {why}"
    click.echo(told, err=as_json)


def _aside(reports: Iterator[Report], as_json: bool) -> Iterator[Report]:
    """The reports; what a checked file prints goes to stderr, where it does not spoil JSON."""
    while True:
        with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
            report = next(reports, None)
        if report is None:
            return
        yield report


def _row(report: Report) -> str:
    """A line of the table: the highest rung that every argument passed, and to how many digits; all of it if wrong."""
    digits = "exact" if math.isinf(report.digits) else f"{report.digits:.0f}"
    row = f"{report.name:<24}{report.verdict.value:<9}{report.rung:<20}{digits if report.rung else '':>6}"
    row += f"{report.cases:>7}{report.seconds:>9.1f}"
    return row if report else f"{row}\n{report}"


def _file(target: str, seed: int) -> Iterator[Report]:
    path, separator, name = target.partition("::")
    if separator and not name:
        raise click.UsageError("there is no name behind ::")
    return check_file(path, name or None, seed=seed)
