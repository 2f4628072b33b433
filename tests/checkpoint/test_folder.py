"""The folder: what stays, what is the best, and that a write that fails leaves everything as it was."""

import errno
import math
import os
import resource
import subprocess

import numpy as np
import pytest

from scratchnet import Dense, Network
from scratchnet.checkpoint import Checkpoint, Checkpointer, CheckpointError, DamagedWarning, Position, write
from scratchnet.core import ConfigError

LARGE = 2_000  # a network of so many numbers a row makes files of some 100 KB


def made(width=2):
    return Network([Dense(width)], (10,), backend="reference")


def steps(saver):
    return [entry.at.step for entry in saver.all()]


def epochs(saver, measured, net=None, **how):
    """Begin a run and end an epoch of ten steps for each of what is measured."""
    at = saver.begin(net or made())
    for metrics in measured:
        at = Position(at.epoch + 1, 0, at.step + 10)
        saver.epoch(at, metrics, **how)
    return at


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_last_stay(tmp_path):
    saver = Checkpointer(tmp_path, keep=2)
    epochs(saver, [{}] * 5)
    assert steps(saver) == [40, 50]
    assert names(tmp_path) == ["000004_step40.safetensors", "000005_step50.safetensors"]
    assert steps(Checkpointer(tmp_path)) == [40, 50]


def test_every_so_many_epochs_and_steps(tmp_path):
    saver = Checkpointer(tmp_path, keep=9, every=2, every_steps=3)
    at = epochs(saver, [{}] * 5)
    assert steps(saver) == [20, 40]
    for _ in range(10):
        at = at.next_batch()
        saver.step(at)
    assert steps(saver) == [20, 40, 51, 54, 57, 60]
    assert saver.latest().at == Position(6, 10, 60)


def test_the_best_stay_by_several_metrics_at_once(tmp_path):
    saver = Checkpointer(tmp_path, keep=1, every=100, best={"accuracy": "max", "loss": "min"})
    accuracies, losses = [0.5, 0.9, 0.9, 0.7, 0.6], [1.0, 0.9, 0.5, math.nan, 0.6]
    epochs(saver, [{"accuracy": a, "loss": b} for a, b in zip(accuracies, losses, strict=True)])
    for again in (saver, Checkpointer(tmp_path, keep=1, best={"accuracy": "max", "loss": "min"})):
        assert steps(again) == [20, 30]
        assert again.best("accuracy").at.step == 20  # the first of equal ones
        assert again.best("loss").at.step == 30
        assert again.best("loss").metrics == {"accuracy": 0.9, "loss": 0.5}
    with pytest.raises(CheckpointError, match="no checkpoint is the best"):
        saver.best("other")
    with pytest.raises(CheckpointError, match="no checkpoint is the best"):
        Checkpointer(tmp_path).best("loss")


def test_what_is_not_finite_is_never_best(tmp_path):
    saver = Checkpointer(tmp_path, keep=1, best={"loss": "min"})
    epochs(saver, [{"loss": math.nan}, {"loss": -math.inf}, {"loss": 3.0}, {"loss": math.nan}])
    assert saver.best("loss").at.step == 30


def test_roll_back_to_any_and_go_on(tmp_path):
    net, saver = made(), Checkpointer(tmp_path, keep=10)
    at = saver.begin(net)
    for _ in range(4):
        net.views["0.W"][...] += 1
        net.parameters.version += 1
        at = Position(at.epoch + 1, 0, at.step + 10)
        saver.epoch(at)
    W = net.views["0.W"].copy()
    for entry in saver.all():
        assert saver.resume(net, entry=entry) == entry.at
        assert np.allclose(net.views["0.W"], W - (40 - entry.at.step) / 10, atol=1e-6)
    saver.resume(net, entry=saver.all()[0])
    saver.save(Position(2, 1, 11))
    assert saver.latest().at == (2, 1, 11)  # the newest is the last that was written, whatever its step
    assert steps(saver) == [10, 20, 30, 40, 11]


def test_a_damaged_newest_falls_back_and_says_so(tmp_path):
    saver = Checkpointer(tmp_path)
    epochs(saver, [{}] * 3)
    newest = saver.all()[-1].path
    content = newest.read_bytes()
    for altered in (content[:-1], content[:40], b"", content[:-3] + b"abc"):
        newest.write_bytes(altered)
        with pytest.warns(DamagedWarning, match="000003_step30"):
            assert saver.latest().at.step == 20
        again = Checkpointer(tmp_path)
        with pytest.warns(DamagedWarning):
            assert again.resume(made()) == (3, 0, 20)
        assert newest.exists()  # nobody's to delete; its number is not given twice
    again.save(Position(3, 1, 21))
    assert names(tmp_path)[-1] == "000004_step21.safetensors"


def test_where_each_is_damaged_nobody_is_told_that_there_was_none(tmp_path):
    epochs(Checkpointer(tmp_path), [{}] * 2)
    for path in tmp_path.iterdir():
        path.write_bytes(b"")
    with pytest.warns(DamagedWarning), pytest.raises(CheckpointError, match="2, each damaged"):
        Checkpointer(tmp_path).latest()


def test_a_folder_in_the_place_of_the_newest(tmp_path):
    saver = Checkpointer(tmp_path)
    at = epochs(saver, [{}])
    (tmp_path / "000002_step20.safetensors").mkdir()
    with pytest.warns(DamagedWarning, match="a folder"):
        assert saver.latest().at.step == 10
    with pytest.raises(CheckpointError, match="cannot be written") as refused:
        saver.epoch(Position(3, 0, 20))
    assert "directory" in refused.value.actual.lower()
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["000001_step10.safetensors"]
    assert saver.folder is not None
    assert at.step == 10


def test_leftovers_of_a_killed_process_are_taken_away_and_nothing_else(tmp_path):
    saver = Checkpointer(tmp_path)
    epochs(saver, [{}])
    left = tmp_path / ".000002_step20.safetensors.abc123.part"
    others = [tmp_path / name for name in ("notes.txt", ".hidden", ".x.part", "model.safetensors")]
    for path in (left, *others):
        path.write_bytes(b"...")
    assert Checkpointer(tmp_path).resume(made()) == (2, 0, 10)
    assert not left.exists()
    assert all(path.exists() for path in others)


def test_nothing_is_kept_without_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saver = Checkpointer(None, every_steps=1, best={"loss": "min"})
    at = epochs(saver, [{"loss": 1.0}]).next_batch()
    saver.step(at)
    assert saver.save(at) is None
    assert saver.all() == []
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(CheckpointError, match="nothing is kept"):
        saver.resume(made())


@pytest.mark.parametrize(
    "settings", [{"keep": 0}, {"keep": 1.5}, {"every": 0}, {"every_steps": 0}, {"best": {"loss": "least"}}]
)
def test_settings_without_meaning(tmp_path, settings):
    with pytest.raises(ConfigError):
        Checkpointer(tmp_path, **settings)


def kept_in_spite_of(saver, folder, reason):
    """A further checkpoint cannot be written, and the one before is as it was."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(CheckpointError, match="cannot be written") as refused:
        saver.epoch(Position(9, 0, 90))
    assert refused.value.actual == os.strerror(reason)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert Checkpointer(folder).latest().at.step == 10


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 128 KB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a tmpfs needs root; test_a_limit_on_files stands for it")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk(small_disk):
    saver = Checkpointer(small_disk)
    epochs(saver, [{}], made(LARGE))
    kept_in_spite_of(saver, small_disk, errno.ENOSPC)


def test_a_limit_on_files(tmp_path):
    saver = Checkpointer(tmp_path)
    epochs(saver, [{}], made(LARGE))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        kept_in_spite_of(saver, tmp_path, errno.EFBIG)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("reason", [errno.EACCES, errno.EROFS, errno.EIO, errno.EDQUOT])
def test_what_the_system_refuses(tmp_path, monkeypatch, reason):
    """What cannot be had on every machine is said in the system's place."""
    saver = Checkpointer(tmp_path)
    epochs(saver, [{}])

    def refuse(*args, **kwargs):
        raise OSError(reason, os.strerror(reason))

    for call in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, call, refuse)
            kept_in_spite_of(saver, tmp_path, reason)


def test_a_read_only_file_system(small_disk):
    saver = Checkpointer(small_disk)
    epochs(saver, [{}])
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    kept_in_spite_of(saver, small_disk, errno.EROFS)


@pytest.mark.skipif(
    os.geteuid() == 0, reason="root may write into any folder; test_a_read_only_file_system is for root"
)
def test_a_read_only_folder(tmp_path):
    saver = Checkpointer(tmp_path)
    epochs(saver, [{}])
    tmp_path.chmod(0o555)
    try:
        kept_in_spite_of(saver, tmp_path, errno.EACCES)
    finally:
        tmp_path.chmod(0o755)


def test_a_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(CheckpointError, match=r"cannot be (written|read)"):
            Checkpointer(folder).begin(made())


def test_the_order_of_what_reaches_the_disk(tmp_path, monkeypatch):
    """The file is on the disk before it gets its name, and its name before `write` returns."""
    done = []
    for call in ("fsync", "replace"):
        own = getattr(os, call)
        monkeypatch.setattr(os, call, lambda *a, call=call, own=own: (done.append(call), own(*a))[1])
    write(tmp_path / "a", {"x": np.zeros(3)}, {})
    assert done == ["fsync", "replace", "fsync"]


def test_reading_takes_no_more_memory_than_the_file_has(tmp_path):
    net = made(LARGE)
    saver = Checkpointer(tmp_path)
    path = saver.save(saver.begin(net))
    assert sum(a.nbytes for a in Checkpoint.read(path).arrays.values()) < path.stat().st_size
