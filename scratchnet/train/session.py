"""What stands around a training run on the command line: how it ends, whatever ends it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from scratchnet.core.errors import ScratchnetError

from .errors import NonFiniteError, RecordError
from .record import Record, check_writable, peak_memory_mb
from .shown.console import Report
from .shown.formats import duration, percent

OK, BAD, INTERRUPTED = 0, 2, 130  # exit codes


def session(train: Callable[[], None], report: Report, record: Record, json: str | Path | None = None) -> int:
    """Run `train` to whatever end it comes, sum up, write the figures, and return the exit code.

    0: it came to its end. 130: Ctrl-C. 2: a ScratchnetError, whose message goes to standard error. What is known after
    Ctrl-C, or after a loss that is not finite, is told and written as after any run; after any other error there is
    nothing to tell. The JSON file is tried before anything else. An output that cannot be written, because the disk is
    full, say, ends it with 2; a reader that has gone away (a pipe into `head`) is nobody to tell.
    """
    try:
        return _session(train, report, record, json)
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        return _refuse(RecordError("reading or writing failed", where=error.filename, actual=reason))


def _session(train: Callable[[], None], report: Report, record: Record, json: str | Path | None) -> int:
    began, code = time.perf_counter(), OK
    try:
        if json is not None:
            check_writable(json)
        with np.errstate(over="ignore", invalid="ignore"):  # what becomes of it is looked at, and told once
            train()
    except KeyboardInterrupt:
        code = INTERRUPTED
        record.set(interrupted=True)
    except NonFiniteError as error:
        code = _refuse(error)
        record.set(stopped=str(error))
    except ScratchnetError as error:
        return _refuse(error)
    record.set(seconds=time.perf_counter() - began, peak_memory_mb=peak_memory_mb())
    record.set(kernels_compiled=report.compiled.count, compile_seconds=report.compiled.seconds)
    _sum_up(report, record)
    if json is not None:
        try:
            record.write(json)
        except ScratchnetError as error:
            return _refuse(error)
    return code


def _refuse(error: ScratchnetError) -> int:
    print(f"error: {error}", file=sys.stderr)
    return BAD


def _on(record: Record) -> str:
    """What was measured on, so that a result that stands alone is not taken for one on MNIST."""
    return f" on {record['data']}" if "classes" in record.figures else ""


def _sum_up(report: Report, record: Record) -> None:
    """The last lines: the result, even when quiet; time and memory."""
    if record["interrupted"] or record["stopped"]:
        how, epochs = "interrupted" if record["interrupted"] else "stopped", record["epochs"]
        report.result(f"{how} after {epochs} whole epoch{'' if epochs == 1 else 's'}")
    measured = [f"{name} {percent(record[f'{name}_accuracy'])}" for name in ("test", "val", "train")
                if record[f"{name}_accuracy"] is not None]  # fmt: skip
    report.line("")
    report.result(f"accuracy{_on(record)}: " + (", ".join(measured) or "none measured yet"))
    speed, peak = record["images_per_second"], record["peak_memory_mb"]
    parts = [f"total {duration(record['seconds'])}"]
    if speed is not None:
        parts.append(f"training {duration(record['train_seconds'])} at {speed:,.0f} images/s")
    made = report.compiled
    if made.count:
        parts.append(f"{made.count} kernels compiled meanwhile in {duration(made.seconds)}, {made.fate}")
    if peak is not None:
        parts.append(f"peak memory {peak:,.0f} MB")
    report.line(", ".join(parts))
