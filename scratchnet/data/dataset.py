"""A data set: its splits, the names of its classes, and where it came from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from scratchnet.core.layer import whole

from .catalog import CATALOG, DIGITS, IDX_FILES, Entry
from .cifar import read_cifar10
from .drawn import drawn
from .errors import DataError, UnavailableError
from .files import sha256_of
from .idx import read_idx
from .sources import Found, entry_of, find
from .split import Array, Split

Pair = tuple[Array, Array]
DRAWN = (60_000, 10_000)  # training and test pictures


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training, validation and test data.

    val is None if no training samples were set aside. `source` says where the data came from, `note` what a reader
    of results must know ("" if nothing).

    Raises DataError for labels outside 0..classes-1 and for splits whose samples differ in shape.
    """

    name: str
    train: Split
    val: Split | None
    test: Split
    class_names: tuple[str, ...]
    source: str
    note: str = ""

    def __post_init__(self) -> None:
        for split in self.splits:
            split.check_labels(len(self.class_names))
            if split.sample_shape != self.train.sample_shape:
                raise DataError(
                    "splits differ in the shape of a sample",
                    where=f"{self.name}, {split.name} split",
                    expected=self.train.sample_shape,
                    actual=split.sample_shape,
                )

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits there are."""
        return tuple(split for split in (self.train, self.val, self.test) if split is not None)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one sample: (C, H, W) or (D,)."""
        return self.train.sample_shape

    @property
    def classes(self) -> int:
        """The number of classes."""
        return len(self.class_names)


def load(
    name: str = "auto", folder: str | Path | None = None, *, val: int = 5000, samples: int | None = None, seed: int = 0
) -> Dataset:
    """A data set by name.

    Args:
        name: "mnist", "fashion", "kmnist", "cifar10"; "drawn" (made here, no files); "idx" (four IDX files of your
            own in `folder`, named as MNIST's are, no checksum); "auto": MNIST if it can be had, else drawn digits.
        folder: where the files are. Without it: SCRATCHNET_DATA, the user's cache, a download (see `sources.find`).
        val: how many training samples, the last ones, become the validation split; 0 for none.
        samples: keep only the first so many training samples, before `val` of them are set aside.
        seed: of drawn digits.

    Raises DataError: an unknown name, files that are missing, corrupt or another's, val or samples out of range;
    UnavailableError if a data set was found nowhere.
    """
    if name == "drawn":
        return _drawn(val, samples, seed)
    if name == "auto":
        try:
            return _load(find(entry_of("mnist"), folder), val, samples)
        except UnavailableError as error:
            if folder is not None:
                raise
            facts = f"{error.what} ({error.actual})" if error.actual is not None else error.what
            note = f"these digits are drawn, they are not MNIST: {facts}"
            note += f". To have it, {error.hint}" if error.hint else ""
            return replace(_drawn(val, samples, seed), note=note)
    if name == "idx":
        if folder is None:
            raise DataError("idx needs a folder", expected="folder= with the four files", actual=None)
        return _load(find(Entry(name="idx", layout="idx", files=(), mirrors=()), folder), val, samples)
    return _load(find(entry_of(name), folder), val, samples)


def _drawn(val: int, samples: int | None, seed: int) -> Dataset:
    n, n_test = DRAWN
    train = drawn(n if samples is None else _within(samples, n, "drawn"), seed=seed, name="train")
    test = drawn(n_test, seed=seed, name="test")
    return _assemble("drawn", train, test, DIGITS, f"drawn with seed {seed}", val, None)


def _load(found: Found, val: int, samples: int | None) -> Dataset:
    name = found.entry.name
    if found.entry.layout == "cifar":
        train, test, class_names = read_cifar10(found.folder)
        return _assemble(name, train, test, class_names, f"{found.folder} ({found.how})", val, samples)
    train, test = _read_idx_pair(found, "train"), _read_idx_pair(found, "t10k")
    if name in CATALOG:
        _refuse_another(found, test[1])
    class_names = found.entry.class_names
    if not class_names:
        class_names = tuple(str(i) for i in range(1 + int(train[1].max(initial=0))))
    checked = all(_is_checked(found, file) for file in IDX_FILES)
    source = f"{found.folder} ({found.how}; {'checksums match' if checked else 'no checksum to compare with'})"
    return _assemble(name, train, test, class_names, source, val, samples)


def _read_idx_pair(found: Found, prefix: str) -> Pair:
    content = {file.name.removesuffix(".gz"): file.content for file in found.entry.files}
    images, labels = f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"
    return (
        read_idx(found.path(images), ndim=3, sha256=content.get(images)),
        read_idx(found.path(labels), ndim=1, sha256=content.get(labels)),
    )


def _refuse_another(found: Found, labels: Array) -> None:
    """Refuse a published data set in another's place: MNIST under Fashion-MNIST's class names trains as if right."""
    name = IDX_FILES[3]
    header = bytes((0, 0, 8, 1)) + len(labels).to_bytes(4, "big")
    content = hashlib.sha256(header + labels.tobytes()).hexdigest()
    for other in CATALOG.values():
        if other.name != found.entry.name and any(file.content == content for file in other.files):
            raise DataError(
                f"these are the files of {other.name}",
                where=str(found.path(name)),
                expected=found.entry.name,
                actual=other.name,
                hint=f"ask for {other.name}, or give the folder of {found.entry.name}",
            )


def _is_checked(found: Found, name: str) -> bool:
    """Whether the file is known to be the published one: by its content (then it has been read), or byte for byte."""
    for file in found.entry.files:
        if file.name.removesuffix(".gz") == name:
            return file.content is not None or sha256_of(found.path(name)) == file.sha256
    return False


def _assemble(
    name: str, train: Pair, test: Pair, class_names: tuple[str, ...], source: str, val: int, samples: int | None
) -> Dataset:
    given = Split("train", *train)  # checks that there are as many labels as samples
    n = len(given) if samples is None else _within(samples, len(given), name)
    if not whole(val, least=0) or val >= n:
        raise DataError(
            "val is out of range",
            where=name,
            expected=f"0..{n - 1:,}, so that one of {n:,} training samples or more is left",
            actual=val,
            hint="take a smaller val, or 0 for no validation",
        )
    cut = n - val
    return Dataset(
        name=name,
        train=Split("train", given.x[:cut], given.y[:cut]),
        val=Split("val", given.x[cut:n], given.y[cut:n]) if val else None,
        test=Split("test", *test),
        class_names=class_names,
        source=source,
    )


def _within(samples: int, available: int, name: str) -> int:
    if not whole(samples) or samples > available:
        raise DataError(
            "samples is out of range",
            where=name,
            expected=f"1..{available:,} training samples",
            actual=samples,
            hint="take fewer, or leave it out to take all",
        )
    return samples
