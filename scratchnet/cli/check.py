"""`scratchnet check`: hold the hand-written gradients of a file, or of the whole registry, against their functions."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import click

from scratchnet.check.errors import CheckError
from scratchnet.check.files import FileError, check_file, check_layer_class
from scratchnet.check.report import Report, Verdict


def run(target: str | None, everything: bool, as_json: bool, seed: int) -> int:
    """Check, print, and return the exit code: 0 all right, 1 something wrong or vacuous, 2 nothing could be checked."""
    if everything == (target is not None):
        raise click.UsageError("name a file, FILE.py or FILE.py::NAME, or pass --all")
    reports, began = [], time.perf_counter()
    try:
        for report in _registry(seed) if everything else _file(str(target), seed):
            reports.append(report)
            if not as_json:
                click.secho(str(report), fg=None if report else "red")
    except FileError as error:
        click.echo(str(error), err=True)
        return 2
    verdicts = [report.verdict for report in reports]
    if as_json:
        click.echo(json.dumps([report.as_dict() for report in reports], indent=2))
    else:
        counts = ", ".join(f"{verdicts.count(v)} {v.value}" for v in Verdict if v in verdicts)
        click.echo(f"{counts} in {time.perf_counter() - began:.1f} s")
    return 0 if all(reports) else 1


def _file(target: str, seed: int) -> Iterator[Report]:
    path, _, name = target.partition("::")
    return check_file(path, name or None, seed=seed)


def _registry(seed: int) -> Iterator[Report]:
    """Every layer and every loss."""
    import numpy as np

    import scratchnet.layers
    import scratchnet.losses  # noqa: F401  (both fill the registries)
    from scratchnet.check.losses import check_loss
    from scratchnet.core import LAYERS, LOSSES, RandomDraw

    for _, cls in sorted(LAYERS.items()):
        yield check_layer_class(cls, seed)
    for name, loss in sorted(LOSSES.items()):
        draw = RandomDraw(np.random.default_rng([seed, 23]))
        try:
            largest = max(check_loss(loss.cases(draw), seed + number) for number in range(10))
        except CheckError as error:
            yield Report(name, broken=(str(error),))
        else:
            yield Report(name, checked="10 cases; gradient by logits", asleep=() if largest else ("logits",))
