"""`scratchnet check`: hold the hand-written gradients of a file, or of the whole registry, against their functions."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import click

from scratchnet.check.files import FileError, check_file
from scratchnet.check.optional import MissingPackageError
from scratchnet.check.picture import save_picture
from scratchnet.check.registry import check_registry
from scratchnet.check.report import Report, Verdict


def run(target: str | None, everything: bool, as_json: bool, seed: int, pictures: str | None = None) -> int:
    """Check, print, and return the exit code: 0 all right, 1 something wrong or vacuous, 2 nothing could be checked.

    Into the folder `pictures`, if given, goes a PNG of every wrong gradient.
    """
    if everything == (target is not None):
        raise click.UsageError("name a file, FILE.py or FILE.py::NAME, or pass --all")
    reports, began = [], time.perf_counter()
    if everything and not as_json:
        click.echo(f"{'':<24}{'':<9}{'proven by':<20}{'digits':>6}{'cases':>7}{'seconds':>9}")
    try:
        for report in check_registry(seed) if everything else _file(str(target), seed):
            reports.append(report)
            if not as_json:
                click.secho(_row(report) if everything else str(report), fg=None if report else "red")
            if pictures is not None and any(finding.wrong for finding in report.findings):
                Path(pictures).mkdir(parents=True, exist_ok=True)
                path = save_picture(report, Path(pictures) / f"{report.name}.png")
                click.echo(f"  drawn   {path}", err=as_json)
    except (FileError, MissingPackageError) as error:
        click.echo(str(error), err=True)
        return 2
    verdicts = [report.verdict for report in reports]
    if as_json:
        click.echo(json.dumps([report.as_dict() for report in reports], indent=2))
    else:
        counts = ", ".join(f"{verdicts.count(v)} {v.value}" for v in Verdict if v in verdicts)
        click.echo(f"{counts} in {time.perf_counter() - began:.1f} s")
    return 0 if all(reports) else 1


def _row(report: Report) -> str:
    """A line of the table: the highest rung that every argument passed, and to how many digits; all of it if wrong."""
    digits = "exact" if math.isinf(report.digits) else f"{report.digits:.0f}"
    row = f"{report.name:<24}{report.verdict.value:<9}{report.rung:<20}{digits if report.rung else '':>6}"
    row += f"{report.cases:>7}{report.seconds:>9.1f}"
    return row if report else f"{row}\n{report}"


def _file(target: str, seed: int) -> Iterator[Report]:
    path, _, name = target.partition("::")
    return check_file(path, name or None, seed=seed)
