import io
import tarfile

import numpy as np
import pytest

from scratchnet.data import DataError, load, read_cifar10
from scratchnet.data.cifar import FOLDER, NAMES, RECORD, TEST, TRAIN, unpack_cifar

CLASS_NAMES = [f"class {i}" for i in range(10)]


def make(folder, n=4):
    folder.mkdir(parents=True)
    records = []
    for i, name in enumerate((*TRAIN, *TEST)):
        rows = np.random.default_rng(i).integers(0, 256, (n, RECORD), np.uint8)
        rows[:, 0] %= 10
        rows.tofile(folder / name)
        records.append(rows)
    (folder / NAMES).write_text("\n".join(CLASS_NAMES) + "\n\n")
    return records


@pytest.mark.parametrize("below", ["", FOLDER])
def test_read(tmp_path, below):
    records = make(tmp_path / "c" / below)
    (x, y), (x_test, y_test), names = read_cifar10(tmp_path / "c")
    assert x.shape == (20, 3, 32, 32)
    assert x_test.shape == (4, 3, 32, 32)
    assert names == tuple(CLASS_NAMES)
    assert y.dtype == y_test.dtype == np.int64
    assert x[9, 2, 31, 30] == records[2][1, 1 + 2 * 1024 + 31 * 32 + 30]
    assert (y == np.concatenate([rows[:, 0] for rows in records[:5]])).all()


def test_load_by_folder(tmp_path):
    make(tmp_path / "cifar10" / FOLDER)
    data = load("cifar10", tmp_path, val=3)
    assert (len(data.train), len(data.val), len(data.test)) == (17, 3, 4)
    assert data.input_shape == (3, 32, 32)


@pytest.mark.parametrize("size", [0, 1, RECORD - 1, RECORD + 1])
def test_wrong_length(tmp_path, size):
    make(tmp_path / FOLDER)
    (tmp_path / FOLDER / "data_batch_3.bin").write_bytes(bytes(size))
    with pytest.raises(DataError, match="data_batch_3"):
        read_cifar10(tmp_path)


def test_wrong_label_names_file_and_record(tmp_path):
    records = make(tmp_path / FOLDER)
    records[5][2, 0] = 10
    records[5].tofile(tmp_path / FOLDER / "test_batch.bin")
    with pytest.raises(DataError, match=r"record 2[^0-9](.|\n)*test_batch"):
        read_cifar10(tmp_path)


def test_missing_file_and_wrong_names(tmp_path):
    make(tmp_path / FOLDER)
    (tmp_path / FOLDER / NAMES).write_text("one\ntwo\n")
    with pytest.raises(DataError, match="class names"):
        read_cifar10(tmp_path)
    (tmp_path / FOLDER / "data_batch_1.bin").unlink()
    with pytest.raises(DataError, match="data_batch_1"):
        read_cifar10(tmp_path)
    with pytest.raises(DataError, match="incomplete"):
        load("cifar10", tmp_path)
    with pytest.raises(DataError, match="no CIFAR-10 here"):
        read_cifar10(tmp_path / "elsewhere")


def archive(folder, path, extra=()):
    with tarfile.open(path, "w:gz") as file:
        for name in (*TRAIN, *TEST, NAMES):
            file.add(folder / name, f"{FOLDER}/{name}")
        for name, content in extra:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))


def test_unpack_takes_only_what_belongs(tmp_path):
    make(tmp_path / "in")
    archive(tmp_path / "in", tmp_path / "a.tar.gz", [("../evil", b"x"), ("/tmp/evil", b"x"), (f"{FOLDER}/more", b"x")])
    (tmp_path / "out").mkdir()
    unpack_cifar(tmp_path / "a.tar.gz", tmp_path / "out")
    assert not (tmp_path / "evil").exists()
    assert {path.name for path in (tmp_path / "out" / FOLDER).iterdir()} == {*TRAIN, *TEST, NAMES}
    assert (tmp_path / "out" / FOLDER / TRAIN[0]).read_bytes() == (tmp_path / "in" / TRAIN[0]).read_bytes()


def test_unpack_refuses_a_broken_archive(tmp_path):
    make(tmp_path / "in")
    archive(tmp_path / "in", tmp_path / "a.tar.gz")
    whole = (tmp_path / "a.tar.gz").read_bytes()
    (tmp_path / "out").mkdir()
    for broken in (whole[: len(whole) // 2], b"not an archive", whole[:5000] + bytes(500) + whole[5500:]):
        (tmp_path / "b.tar.gz").write_bytes(broken)
        with pytest.raises(DataError, match="archive"):
            unpack_cifar(tmp_path / "b.tar.gz", tmp_path / "out")


@pytest.mark.real_data
def test_real(real_folder):
    data = load("cifar10", real_folder("cifar10"))
    assert (len(data.train), len(data.val), len(data.test)) == (45_000, 5_000, 10_000)
    assert data.class_names[0] == "airplane"
    assert data.class_names[9] == "truck"
    assert (np.bincount(np.concatenate([data.train.y, data.val.y])) == 5000).all()
    assert (np.bincount(data.test.y) == 1000).all()
    ships = data.train.x[data.train.y == 8].mean((0, 2, 3))
    assert ships[2] > ships[0]  # sea and sky: more blue than red, so the channels are in order
