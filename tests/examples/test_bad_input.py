"""Bad input: one clear message on standard error, exit code 2, and nothing half done."""

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scratchnet.data import write_idx

from .conftest import EXAMPLES, environment

LABELS, IMAGES = "train-labels-idx1-ubyte.gz", "train-images-idx3-ubyte.gz"


@pytest.fixture
def refused(call, family):
    """refused(*arguments, says=...) runs on the family and expects a refusal; returns the message."""

    def run(*arguments, says):
        ended = call("--data", "fashion", "--data-dir", family, "--epochs", "1", "--val", "0", *arguments)
        assert ended.code == 2
        assert says in ended.err, ended.err
        assert "Traceback" not in ended.err + ended.out
        assert "epoch 1/1" not in ended.out
        return ended.err

    return run


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--learning-rate", "1"), "No such option"),
        (("--data", "minst"), "'minst' is not one of"),
        (("--model", "rnn"), "'rnn' is not one of"),
        (("--epochs", "0"), "0 is not in the range x>=1"),
        (("--epochs", "many"), "'many' is not a valid whole number"),
        (("--batch-size", "0"), "0 is not in the range x>=1"),
        (("--samples", "0"), "0 is not in the range x>=1"),
        (("--val", "-1"), "-1 is not in the range x>=0"),
        (("--seed", "-1"), "-1 is not in the range x>=0"),
        (("--lr", "nan"), "nan is not a positive, finite number"),
        (("--lr", "inf"), "inf is not a positive, finite number"),
        (("--lr", "0"), "0.0 is not a positive, finite number"),
        (("--samples", "61"), "samples is out of range"),
        (("--val", "60"), "val is out of range"),
        (("--backend", "cuda"), "cuda backend is not available"),
        (("--data-dir", "nowhere"), "no such folder"),
        (("--export", "a.txt"), "does not end in .py"),
        (("--export", "nowhere/a.py"), "cannot be written"),
        (("--model", "cnn", "--export", "a.lean"), "no form of the op conv2d"),
        (("--data", "mnist"), "wrong checksum"),
    ],
)
def test_settings(refused, arguments, says):
    refused(*arguments, says=says)


def test_missing_file(refused, family):
    (family / LABELS).unlink()
    refused(says="train-labels-idx1-ubyte")


def test_truncated_file(refused, family):
    content = (family / IMAGES).read_bytes()
    (family / IMAGES).write_bytes(content[: len(content) // 2])
    refused(says="truncated")


def test_corrupt_file(refused, family):
    (family / IMAGES).write_bytes(gzip.compress(b"no pictures"))
    refused(says="not an IDX file")


def test_label_out_of_range(refused, family):
    write_idx(family / LABELS, np.full(60, 10, np.uint8))
    refused(says="label 0 is out of range")


def test_json_that_cannot_be_written_is_found_before_training(refused, tmp_path):
    refused("--json", tmp_path / "nowhere" / "f.json", says="the JSON file cannot be written")
    refused("--json", tmp_path, says="it is a folder")
    assert not list(tmp_path.glob("**/*.part"))


def test_a_backend_that_cannot_run_is_refused_before_data_is_sought(call):
    ended = call("--data", "mnist", "--backend", "cuda")
    assert ended.code == 2
    assert "cuda backend is not available" in ended.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full (Linux)")
@pytest.mark.parametrize("more", [(), ("--quiet",)])
def test_an_output_that_cannot_be_written(family, tmp_path, more):
    command = [sys.executable, str(EXAMPLES / "mnist_manual.py"), "--data", "fashion", "--data-dir", str(family)]
    command += ["--val", "0", "--epochs", "1", "--backend", "reference", *more]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, env=environment(tmp_path), stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2
    assert done.stderr.decode().startswith("error: reading or writing failed")
    assert "Traceback" not in done.stderr.decode()


def test_mnist_without_network(call):
    ended = call("--data", "mnist", "--epochs", "1")
    assert ended.code == 2
    assert "mnist could not be downloaded" in ended.err


def test_cache_that_cannot_be_written(call, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    ended = call("--data", "mnist", "--epochs", "1")
    assert ended.code == 2
    assert "error: " in ended.err
