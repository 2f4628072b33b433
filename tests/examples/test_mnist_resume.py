"""--save and --resume: a run that was killed and goes on says in the end what one says that never was."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from scratchnet.checkpoint import Checkpointer
from tests.examples.conftest import EXAMPLES, environment

TIMES = ("train_seconds", "images_per_second", "seconds", "peak_memory_mb", "kernels_compiled", "compile_seconds")
TINY = ("--data", "fashion", "--epochs", "3", "--batch-size", "8", "--val", "10", "--save-steps", "1", "--quiet")


@pytest.fixture
def tiny(family):
    return (*TINY, "--data-dir", family)


def but_for_times(f):
    return {name: value for name, value in f.items() if name not in TIMES}


@pytest.mark.parametrize("settings", [(), ("--model", "cnn", "--optimizer", "adam", "--epochs", "1")])
def test_resumed_from_any_checkpoint_it_says_the_same(call, figures, tiny, tmp_path, settings):
    whole = but_for_times(figures(call, *tiny, *settings))
    shutil.rmtree(tmp_path / "runs", ignore_errors=True)
    assert but_for_times(figures(call, *tiny, *settings, "--save", tmp_path / "runs")) == whole
    entries = Checkpointer(tmp_path / "runs").all()
    assert len(entries) >= 3
    for entry in reversed(entries):  # the later ones are gone, as if the run had been killed before them
        for later in entries[entries.index(entry) + 1 :]:
            later.path.unlink(missing_ok=True)
        shutil.copytree(tmp_path / "runs", tmp_path / f"from{entry.number}")
        assert but_for_times(figures(call, *tiny, *settings, "--resume", tmp_path / f"from{entry.number}")) == whole


def test_killed_and_resumed(call, figures, tiny, tmp_path):
    whole = but_for_times(figures(call, *tiny))
    command = [
        sys.executable,
        EXAMPLES / "mnist_manual.py",
        "--backend",
        "reference",
        *tiny,
        "--save",
        tmp_path / "runs",
    ]
    with subprocess.Popen(list(map(str, command)), env=environment(tmp_path), cwd=tmp_path) as process:
        while process.poll() is None and not list(tmp_path.glob("runs/00000[4-9]*.safetensors")):
            time.sleep(0.001)
        os.kill(process.pid, signal.SIGKILL)
    assert Checkpointer(tmp_path / "runs").latest().at.epoch <= 3
    assert but_for_times(figures(call, *tiny, "--resume", tmp_path / "runs")) == whole


def test_a_checkpoint_says_what_a_person_wants_to_know(call, tiny, tmp_path):
    assert call(*tiny, "--save", tmp_path / "runs", "--json", tmp_path / "f.json").code == 0
    f, saver = (
        json.loads((tmp_path / "f.json").read_text()),
        Checkpointer(tmp_path / "runs", best={"val_accuracy": "max"}),
    )
    facts = saver.latest().facts
    assert (facts["data"], facts["epochs"], facts["optimizer"], facts["seed"]) == ("fashion", 3, "momentum", 0)
    assert (facts["test_accuracy"], facts["train_loss"]) == (f["test_accuracy"], f["losses"][-1])
    assert saver.best("val_accuracy").metrics["val_accuracy"] == max(f["val_accuracies"])


def test_wrong_use(call, tiny, tmp_path):
    runs = tmp_path / "runs"
    assert call(*tiny, "--save", runs).code == 0
    for more, what in (
        (("--save", runs), "holds checkpoints already"),
        (("--resume", tmp_path / "none"), "there is no checkpoint"),
        (("--resume", runs, "--lr", "0.3"), "other settings"),
        (("--resume", runs, "--epochs", "4"), "other settings"),
        (("--resume", runs, "--model", "cnn"), "other settings"),
        (("--save", tmp_path / "family" / "train-labels-idx1-ubyte.gz"), "cannot be read"),
        (("--save", runs, "--resume", runs), "give it without --save"),
    ):
        ended = call(*tiny, *more)
        assert ended.code == 2, more
        assert what in ended.err, more
