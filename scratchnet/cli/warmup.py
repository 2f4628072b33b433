"""`scratchnet warmup`: compile now what a first run would compile, so that it need not."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import click
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, TextColumn

from scratchnet.train.shown.formats import duration
from scratchnet.train.shown.progress import CompilingBar, on_terminal
from scratchnet_kernels import BackendError, get_backend, machine
from scratchnet_kernels.compilation import Compilation, watching

from ._warmup_jobs import Job, of_model, of_registry


def run(models: Sequence[str], everything: bool, dtype: str, batch_size: int) -> int:
    """Run a step of each, say what was compiled, and return the exit code: 2 where nothing can be kept."""
    try:
        with warnings.catch_warnings():  # that nothing can be kept is said here
            warnings.simplefilter("ignore", RuntimeWarning)
            get_backend("cpu")
        folder, stays = machine.kernel_cache()
    except BackendError as error:
        return _refuse(str(error))
    if not stays:
        return _refuse("nothing was compiled, because no folder can be written that is still there afterwards")
    jobs: list[Job] = []
    for model in dict.fromkeys(models):
        jobs += of_model(model, dtype, batch_size)
    if everything:
        jobs += of_registry(dtype)
    try:
        compiled = _work(jobs)
    except OSError as error:  # the disk is full, or the folder went away
        return _refuse(f"the cache cannot be written: {error}")
    kept = f"kept in {folder}"
    if compiled.count:
        click.echo(f"compiled {compiled.count} kernels in {duration(compiled.seconds)}, {kept}")
    else:
        click.echo(f"nothing to compile: the kernels are there already, {kept}")
    return 0


def _refuse(why: str) -> int:
    click.echo(f"error: {why}\n  hint: set NUMBA_CACHE_DIR to a folder that can be written", err=True)
    return 2


def _work(jobs: Sequence[Job]) -> Compilation:
    """Run the jobs under a bar."""
    console = Console(stderr=True, highlight=False)
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}")
    bar = CompilingBar(*columns, console=console, disable=not on_terminal(console))
    with bar, watching(bar.compiles) as compiled:
        task = bar.add_task("", total=len(jobs))
        for name, job in jobs:
            bar.update(task, description=name)
            with np.errstate(all="ignore"):
                job()
            bar.advance(task)
    return compiled
