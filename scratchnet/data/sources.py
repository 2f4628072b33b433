"""Where a data set is found: a folder given, SCRATCHNET_DATA, the user's cache, or a download into that cache."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from . import cifar
from .catalog import CATALOG, IDX_FILES, Entry
from .download import PATIENCE, fetch
from .errors import DataError, UnavailableError

VARIABLE = "SCRATCHNET_DATA"


@dataclass(frozen=True)
class Found:
    """A folder that holds every file of a data set, and how it came to be known."""

    entry: Entry
    folder: Path
    how: str

    def path(self, name: str) -> Path:
        """The file called `name`, compressed or plain."""
        packed = self.folder / f"{name}.gz"
        return packed if packed.is_file() else self.folder / name


def cache_folder() -> Path:
    """The folder in the user's cache that downloads go to."""
    import pooch

    return Path(pooch.os_cache("scratchnet"))


def find(entry: Entry, folder: str | Path | None = None, *, patience: float = PATIENCE) -> Found:
    """The first place that has the data set; the last resort is a download.

    1. `folder` (or a folder of the data set's name in it), if given: then there and nowhere else;
    2. a folder of the data set's name in the folder that SCRATCHNET_DATA names;
    3. the user's cache;
    4. a download from public mirrors into the cache, given up after `patience` seconds of silence.

    Raises DataError for a place that holds some of the files but not all, UnavailableError if no place has any.
    """
    if folder is not None:
        for place in (Path(folder) / entry.name, Path(folder)):
            if found := _look(entry, place, "folder given"):
                return found
        raise UnavailableError(
            f"{entry.name} is not in the folder given",
            where=str(folder),
            expected=_listing(entry),
            actual="no such folder" if not Path(folder).is_dir() else "none of them",
            hint="give the folder that holds these files, or leave it out to search and download",
        )
    named = os.environ.get(VARIABLE)
    if named and (found := _look(entry, Path(named) / entry.name, VARIABLE)):
        return found
    cached = cache_folder() / entry.name
    missing = _missing(entry, cached)
    if not missing:
        return Found(entry, _place(entry, cached), "cache")
    files = entry.files if entry.layout == "cifar" else tuple(f for f in entry.files if _stem(f.name) in missing)
    try:
        fetch(entry, files, cached, patience)
        if entry.layout == "cifar":
            archive = cached / entry.files[0].name
            cifar.unpack_cifar(archive, cached)
            archive.unlink()
    except DataError as error:
        if named:
            lack = f"has no {entry.name}/ with its files" if Path(named).is_dir() else "is no folder"
            error.actual = f"{VARIABLE} names {named}, which {lack}; {error.actual}"
        raise
    return Found(entry, _place(entry, cached), "downloaded")


def _look(entry: Entry, place: Path, how: str) -> Found | None:
    missing = _missing(entry, place)
    if not missing:
        return Found(entry, _place(entry, place), how)
    if len(missing) == len(_names(entry)):
        return None
    raise DataError(
        f"{entry.name} is incomplete ({how})",
        where=str(place),
        expected=_listing(entry),
        actual=f"without {', '.join(missing)}",
        hint="add the missing files, or take the others away",
    )


def _place(entry: Entry, folder: Path) -> Path:
    return (cifar.cifar_folder(folder) or folder) if entry.layout == "cifar" else folder


def _names(entry: Entry) -> tuple[str, ...]:
    return (*cifar.TRAIN, *cifar.TEST, cifar.NAMES) if entry.layout == "cifar" else IDX_FILES


def _missing(entry: Entry, folder: Path) -> list[str]:
    found = Found(entry, _place(entry, folder), "")
    return [name for name in _names(entry) if not found.path(name).is_file()]


def _stem(name: str) -> str:
    return name.removesuffix(".gz")


def _listing(entry: Entry) -> str:
    return ", ".join(_names(entry)) + (" (plain or .gz)" if entry.layout == "idx" else "")


def entry_of(name: str) -> Entry:
    """The catalog's entry; raises DataError for a name that is not in it."""
    if name not in CATALOG:
        raise DataError("unknown data set", expected=" | ".join(("auto", "drawn", "idx", *CATALOG)), actual=repr(name))
    return CATALOG[name]
