"""Fetching files from the first mirror that serves them whole, checked before they appear under their names."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .catalog import Entry, RemoteFile
from .errors import DataError, UnavailableError
from .files import replacing, sha256_of
from .idx import check_sha256, read_idx
from .reach import reachable

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PATIENCE = 5.0  # seconds of silence, over all mirrors together, after which a download is given up
PACE = 1 << 16  # bytes that must arrive in that time for it not to count as silence
SLACK = 1 << 20  # bytes by which another compression of the same content may exceed the catalog's


class _StoppedError(Exception):
    """A mirror is too slow or sends too much."""


class _Meter:
    """The progress bar that the downloader drives: draws, and stops what is too slow or too long."""

    def __init__(self, bar: Progress, task: TaskID, limit: int, patience: float) -> None:
        self.total = 0  # the downloader sets it
        self.bar, self.task, self.limit, self.patience = bar, task, limit, patience
        self.done = self.mark = 0
        self.since = time.monotonic()

    def update(self, count: int) -> None:
        now = time.monotonic()
        self.done += count
        if self.done > self.limit:
            raise _StoppedError(f"more than {self.limit:,} bytes")
        if self.done - self.mark >= PACE:
            self.mark, self.since = self.done, now
        elif now - self.since > self.patience:
            raise _StoppedError(f"fewer than {PACE:,} bytes in {self.patience:g} s")
        self.bar.update(self.task, completed=self.done)

    def reset(self) -> None:
        """The downloader closes with reset, update(total), close: count the end once."""
        self.done = self.mark = 0

    def close(self) -> None:
        self.bar.update(self.task, completed=self.total or self.done)


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on standard error while it is a terminal, nothing otherwise."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield bar


def fetch(entry: Entry, files: tuple[RemoteFile, ...], folder: Path, patience: float = PATIENCE) -> None:
    """Download `files` of a data set into `folder`; each is complete and checked when it appears there.

    Raises UnavailableError: the folder cannot be written, or no mirror served a file. With no network this takes
    at most `patience` seconds.
    """
    _make_writable(folder)
    start = time.monotonic()
    answering = reachable(entry.mirrors, patience)
    silence = max(patience - (time.monotonic() - start), 1.0)  # seconds of it that are left
    faults = {url: "no connection" for url in entry.mirrors if url not in answering}
    mirrors = [url for url in entry.mirrors if url in answering]
    with _progress() as bar:
        for file in files:
            while mirrors:
                share = silence / len(mirrors)
                try:
                    _fetch(mirrors[0] + file.name, file, folder / file.name, bar, share)
                    break
                except (OSError, _StoppedError, DataError) as fault:
                    faults[mirrors.pop(0)] = f"{file.name}: {_reason(fault)}"
                    silence -= share
            else:
                raise UnavailableError(
                    f"{entry.name} could not be downloaded",
                    where=file.name,
                    expected="one mirror that serves it whole",
                    actual="; ".join(f"{url} ({fault})" for url, fault in faults.items()),
                    hint=f"put the files into a folder {entry.name}/ and set SCRATCHNET_DATA to the folder above it",
                )


def _reason(fault: BaseException) -> str:
    if isinstance(fault, DataError):
        return f"{fault.what}, expected {fault.expected}, got {fault.actual}"
    while (inner := _cause(fault)) is not None:
        fault = inner
    return str(fault) or type(fault).__name__


def _cause(fault: BaseException) -> BaseException | None:
    """What an HTTP client's error wraps; its own text repeats the whole request."""
    for inner in (getattr(fault, "reason", None), getattr(fault, "original_error", None), *fault.args):
        if isinstance(inner, BaseException):
            return inner
    return None


def _fetch(url: str, file: RemoteFile, path: Path, bar: Progress, patience: float) -> None:
    import pooch

    task = bar.add_task(file.name, total=file.nbytes)
    limit = file.nbytes + (SLACK if file.content else 0)
    meter: Any = _Meter(bar, task, limit + 8192, patience)  # the downloader counts its last chunk in full
    download = pooch.HTTPDownloader(
        progressbar=meter, chunk_size=8192, timeout=patience, headers={"Accept-Encoding": "identity"}
    )
    with replacing(path) as part:
        download(url, part, None)
        part.flush()
        if file.content is None:
            check_sha256(path, sha256_of(Path(part.name)), file.sha256, "file")
        else:
            read_idx(part.name, sha256=file.content)


def _make_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UnavailableError(
            "the cache folder cannot be written",
            where=str(folder),
            actual=error.strerror or str(error),
            hint="set SCRATCHNET_DATA to a folder that holds the data set, or give the folder (folder=, --data-dir)",
        ) from error
