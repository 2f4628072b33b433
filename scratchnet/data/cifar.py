"""CIFAR-10's binary layout: records of 3,073 bytes, one label, then 1,024 red, green and blue bytes, row-major.

Source: A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009, and its data page.
"""

from __future__ import annotations

import gzip
import shutil
import tarfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from .errors import DataError
from .files import CHUNK, replacing

FOLDER = "cifar-10-batches-bin"
TRAIN = tuple(f"data_batch_{i}.bin" for i in range(1, 6))
TEST = ("test_batch.bin",)
NAMES = "batches.meta.txt"
CLASSES = 10
SAMPLE = (3, 32, 32)
RECORD = 1 + 3 * 32 * 32  # bytes
MEMBER = 10_000 * RECORD  # bytes: the longest member of the published archive

Array = np.ndarray[Any, Any]


def cifar_folder(folder: str | Path) -> Path | None:
    """The folder that holds the files: `folder` itself or cifar-10-batches-bin/ in it; None if neither does."""
    for place in (Path(folder) / FOLDER, Path(folder)):
        if any((place / name).is_file() for name in (*TRAIN, *TEST)):
            return place
    return None


def read_cifar10(folder: str | Path) -> tuple[tuple[Array, Array], tuple[Array, Array], tuple[str, ...]]:
    """((x, y) of training, (x, y) of test, class names); x uint8 (N, 3, 32, 32), y int64 (N,).

    Raises DataError, naming file, expected and actual: a missing file, a length that is no whole number of
    records, no records, a label above 9, other than ten class names.
    """
    place = cifar_folder(folder)
    if place is None:
        raise DataError("no CIFAR-10 here", where=str(folder), expected=f"{FOLDER}/ or the files {', '.join(TRAIN)}")
    return _read_split(place, TRAIN), _read_split(place, TEST), read_names(place / NAMES)


def read_names(path: Path) -> tuple[str, ...]:
    """The class names, one a line; blank lines do not count."""
    try:
        names = tuple(line.strip() for line in path.read_text("utf-8").splitlines() if line.strip())
    except UnicodeDecodeError as error:
        raise DataError("not a text file", where=str(path), expected=f"{CLASSES} class names") from error
    except OSError as error:
        raise DataError("the file cannot be read", where=str(path), actual=error.strerror or str(error)) from error
    if len(names) != CLASSES:
        raise DataError("wrong number of class names", where=str(path), expected=CLASSES, actual=len(names))
    return names


def _read_split(place: Path, names: tuple[str, ...]) -> tuple[Array, Array]:
    counts = [_records(place / name) for name in names]
    x, y = np.empty((sum(counts), *SAMPLE), np.uint8), np.empty(sum(counts), np.int64)
    start = 0
    for name, count in zip(names, counts, strict=True):
        content = np.fromfile(place / name, np.uint8)
        if content.size != count * RECORD:
            raise DataError(
                "the file changed while it was read",
                where=str(place / name),
                expected=f"{count * RECORD:,} bytes",
                actual=f"{content.size:,} bytes",
            )
        records = content.reshape(count, RECORD)  # (n*3073,) -> (n, 3073)
        wrong = np.flatnonzero(records[:, 0] >= CLASSES)
        if wrong.size:
            raise DataError(
                f"label out of range in record {wrong[0]}",
                where=str(place / name),
                expected=f"0..{CLASSES - 1}",
                actual=int(records[wrong[0], 0]),
                hint="the file is corrupt or is not CIFAR-10 in its binary version",
            )
        y[start : start + count] = records[:, 0]
        x[start : start + count] = records[:, 1:].reshape(count, *SAMPLE)  # (n, 3072) -> (n, 3, 32, 32)
        start += count
    return x, y


def _records(path: Path) -> int:
    """How many records the file holds, from its length alone."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataError("the file cannot be read", where=str(path), actual=error.strerror or str(error)) from error
    if size == 0 or size % RECORD:
        raise DataError(
            "the file is truncated or is not CIFAR-10 in its binary version",
            where=str(path),
            expected=f"a positive multiple of {RECORD:,} bytes",
            actual=f"{size:,} bytes",
            hint="fetch the file again",
        )
    return size // RECORD


def unpack_cifar(archive: Path, folder: Path) -> None:
    """Take the seven files out of cifar-10-binary.tar.gz into folder/cifar-10-batches-bin/, and nothing else.

    Raises DataError: no readable archive, a member that is missing, no plain file, or longer than it can be.
    """
    place = folder / FOLDER
    missing = {*TRAIN, *TEST, NAMES}
    try:
        with gzip.open(archive, "rb") as stream:  # to the end, where the CRC is: before anything is written
            while stream.read(CHUNK):
                pass
        with tarfile.open(archive, "r:gz") as members:
            for member in members:
                name = member.name.removeprefix(f"{FOLDER}/")
                content = members.extractfile(member) if name in missing and member.isfile() else None
                if content is None or member.size > MEMBER:
                    continue
                place.mkdir(exist_ok=True)
                with replacing(place / name) as file:
                    shutil.copyfileobj(content, file)
                missing.remove(name)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError("the archive is truncated or corrupt", where=str(archive), actual=str(error)) from error
    if missing:
        raise DataError("the archive is incomplete", where=str(archive), expected=", ".join(sorted(missing)))
