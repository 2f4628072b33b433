import gzip
import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from scratchnet.data import DataError, Dataset, Split, UnavailableError, load, write_idx
from scratchnet.data.catalog import CATALOG, IDX_FILES, Entry, RemoteFile


def test_idx_folder_splits(idx_family):
    folder, (x, y, x_test, y_test) = idx_family(12, 6)
    data = load("idx", folder, val=5)
    assert (data.train.x == x[:7]).all()
    assert (data.val.x == x[7:]).all()
    assert (data.val.y == y[7:]).all()
    assert (data.test.x == x_test).all()
    assert (data.test.y == y_test).all()
    assert all(split.y.dtype == np.int64 for split in data.splits)
    assert [split.name for split in data.splits] == ["train", "val", "test"]
    assert data.class_names == tuple("0123456789")
    assert data.input_shape == (1, 5, 4)
    assert data.note == ""


def test_no_validation(idx_family):
    data = load("idx", idx_family(12)[0], val=0)
    assert data.val is None
    assert len(data.train) == 12


def test_samples_keeps_the_first_before_val_is_taken(idx_family):
    folder, (x, *_) = idx_family(12)
    data = load("idx", folder, samples=9, val=4)
    assert (data.train.x == x[:5]).all()
    assert (data.val.x == x[5:9]).all()


@pytest.mark.parametrize(
    "settings",
    [
        *({"samples": 0}, {"samples": 13}, {"val": 12}, {"val": -1}, {"samples": 5, "val": 5}),
        *({"val": 1.5}, {"samples": 1.5}, {"val": "5"}, {"samples": True}),
    ],
)
def test_out_of_range(idx_family, settings):
    with pytest.raises(DataError, match=r"out of range(\n.*){3}\n  hint: "):
        load("idx", idx_family(12)[0], **{"val": 0, **settings})
    if any(type(value) is not int for value in settings.values()):
        return
    with pytest.raises(DataError, match="out of range"):
        load(
            "drawn", **({"samples": 20, "val": 20} if "val" in settings else {"samples": 60_001 * settings["samples"]})
        )


def test_a_published_data_set_is_not_taken_for_another(idx_family, tmp_path, monkeypatch):
    folder, _ = idx_family(folder=tmp_path / "x")
    load("fashion", folder, val=0)
    content = {name: hashlib.sha256(_plain(folder, name)).hexdigest() for name in IDX_FILES}
    files = tuple(RemoteFile(f"{name}.gz", 1, "0" * 64, content=content[name]) for name in IDX_FILES)
    monkeypatch.setitem(CATALOG, "mnist", Entry("mnist", "idx", files, ()))
    for name in ("idx", "mnist"):
        load(name, folder, val=0)
    with pytest.raises(DataError, match=r"these are the files of mnist(.|\n)*expected: fashion"):
        load("fashion", folder, val=0)


def _plain(folder, name):
    packed = folder / f"{name}.gz"
    return gzip.decompress(packed.read_bytes()) if packed.is_file() else (folder / name).read_bytes()


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_folder_of_the_name_or_the_files_themselves(idx_family, tmp_path, suffix):
    idx_family(folder=tmp_path / "fashion", suffix=suffix)
    for folder in (tmp_path, tmp_path / "fashion", str(tmp_path)):
        data = load("fashion", folder, val=0)
        assert data.class_names[9] == "Ankle boot"
        assert "no checksum to compare with" in data.source


def test_environment_before_cache(idx_family, tmp_path, cache, monkeypatch):
    idx_family(folder=tmp_path / "here" / "kmnist")
    idx_family(folder=cache / "kmnist")
    assert "cache" in load("kmnist", val=0).source
    monkeypatch.setenv("SCRATCHNET_DATA", str(tmp_path / "here"))
    assert "SCRATCHNET_DATA" in load("kmnist", val=0).source
    assert str(tmp_path / "other") in load("kmnist", idx_family(folder=tmp_path / "other")[0], val=0).source


def test_a_folder_given_is_the_only_place(idx_family, tmp_path, monkeypatch):
    idx_family(folder=tmp_path / "here" / "kmnist")
    monkeypatch.setenv("SCRATCHNET_DATA", str(tmp_path / "here"))
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "nowhere"):
        with pytest.raises(UnavailableError, match="not in the folder given"):
            load("kmnist", folder)
        with pytest.raises(UnavailableError, match="not in the folder given"):
            load("auto", folder)


def test_incomplete_folder(idx_family, tmp_path, monkeypatch):
    idx_family(folder=tmp_path / "kmnist")
    (tmp_path / "kmnist" / f"{IDX_FILES[3]}.gz").unlink()
    monkeypatch.setenv("SCRATCHNET_DATA", str(tmp_path))
    for arguments in (("kmnist",), ("kmnist", tmp_path)):
        with pytest.raises(DataError, match="incomplete") as caught:
            load(*arguments)
        assert IDX_FILES[3] in caught.value.actual


def test_wrong_checksum_of_mnist(idx_family, tmp_path):
    with pytest.raises(DataError, match="checksum") as caught:
        load("mnist", idx_family(folder=tmp_path / "mnist")[0])
    assert caught.value.expected == CATALOG["mnist"].files[0].content
    assert IDX_FILES[0] in caught.value.where
    assert caught.value.hint


def test_files_that_do_not_fit(idx_family):
    folder, (_, y, *_) = idx_family()
    write_idx(folder / f"{IDX_FILES[1]}.gz", y[:-1])
    with pytest.raises(DataError, match="differ in number"):
        load("idx", folder, val=0)
    write_idx(folder / f"{IDX_FILES[1]}.gz", y)
    write_idx(folder / f"{IDX_FILES[3]}.gz", np.array([0, 1, 2, 10, 11, 0], np.uint8))
    with pytest.raises(DataError, match=r"label 3 is out of range(.|\n)*test split(.|\n)*0\.\.9"):
        load("idx", folder, val=0)
    write_idx(folder / f"{IDX_FILES[0]}.gz", np.zeros((0, 5, 4), np.uint8))
    write_idx(folder / f"{IDX_FILES[1]}.gz", np.zeros(0, np.uint8))
    with pytest.raises(DataError, match="no samples"):
        load("idx", folder, val=0)


def test_unknown_name():
    with pytest.raises(DataError, match=r"mnist \| fashion"):
        load("minst")
    with pytest.raises(DataError, match="needs a folder"):
        load("idx")


def test_drawn(monkeypatch):
    monkeypatch.setattr("scratchnet.data.dataset.DRAWN", (40, 20))
    data = load("drawn", val=10, seed=1)
    assert (data.name, len(data.train), len(data.val), len(data.test)) == ("drawn", 30, 10, 20)
    assert data.source == "drawn with seed 1"
    assert (load("drawn", val=0, samples=15, seed=1).train.x == data.train.x[:15]).all()
    assert (load("drawn", val=0, seed=2).test.x != data.test.x).any()


X, Y = np.zeros((6, 3, 2), np.float32), np.arange(6)


def with_value(value, *at):
    x = X.copy()
    x[at] = value
    return x


@pytest.mark.parametrize(
    ("x", "y", "what"),
    [
        (X, Y[:5], "differ in number"),
        (X[:0], Y[:0], "no samples"),
        (np.zeros((3, 0, 2), np.uint8), Y[:3], "no samples"),
        (X.astype(np.int32), Y, "element type"),
        (X.tolist(), Y, "not an array"),
        (X[..., None, None], Y, "shape"),
        (X, Y.astype(float), "no integers"),
        (X, Y[:, None], "no integers"),
        (X, Y - 2, "label 0"),
        (X, np.array([0, 1, 2, 3, -1, -2]), "label 4"),
        (with_value(np.nan, 3, 1, 1), Y, "sample 3"),
        (with_value(np.inf, slice(2, 5), 0, 0), Y, "sample 2"),
        (with_value(-np.inf, 5, 2, 1).astype(np.float16), Y, "sample 5"),
    ],
)
def test_split_refuses(x, y, what):
    with pytest.raises(DataError, match=what) as caught:
        Split("val", x, y)
    assert caught.value.where == "val split"


def test_first_offender_is_found_beyond_the_first_piece():
    x = np.zeros((40, 300, 300), np.float32)
    x[33, 299, 299] = np.nan
    with pytest.raises(DataError, match="sample 33"):
        Split("train", x, np.zeros(40, int))


def test_dataset_refuses_splits_that_differ():
    train, test = Split("train", X, Y), Split("test", X[:, :2], Y)
    with pytest.raises(DataError, match="differ in the shape"):
        Dataset("own", train, None, test, tuple("012345"), "made up")
    with pytest.raises(DataError, match="label 5 is out of range"):
        Dataset("own", train, None, train, tuple("01234"), "made up")


def test_import_is_light():
    code = "import sys, scratchnet.data; print([m for m in ('numba', 'pooch', 'requests', 'rich') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True)
    assert done.stdout.strip() == "[]"


def environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


@pytest.mark.real_data
def test_real_mnist(real_folder, tmp_path):
    data = load("mnist", real_folder("mnist"))
    assert (len(data.train), len(data.val), len(data.test)) == (55_000, 5_000, 10_000)
    assert "checksums match" in data.source
    assert np.bincount(data.test.y).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert data.train.y[:5].tolist() == [5, 0, 4, 1, 9]
    write_idx(tmp_path / IDX_FILES[2], data.test.x)  # plain instead of compressed: the same content
    for name in IDX_FILES[:2] + IDX_FILES[3:]:
        (tmp_path / f"{name}.gz").symlink_to(f"{real_folder('mnist')}/{name}.gz")
    assert "checksums match" in load("mnist", tmp_path).source
    data.test.x[5000, 14, 14] ^= 1
    (tmp_path / IDX_FILES[2]).unlink()
    write_idx(tmp_path / f"{IDX_FILES[2]}.gz", data.test.x)
    with pytest.raises(DataError, match="checksum"):
        load("mnist", tmp_path)
