"""`scratchnet warmup`: what it runs, what a first run then still compiles (nothing), and where nothing can be kept."""

import json
import subprocess
import sys
from importlib import import_module

import pytest
from click.testing import CliRunner

from scratchnet.cli import _warmup_jobs as jobs
from scratchnet.cli import main
from scratchnet.core.layer import LAYERS
from scratchnet.core.loss import LOSSES
from scratchnet_kernels import machine
from scratchnet_kernels.compilation import Compilation
from tests.examples.conftest import EXAMPLES, environment, family, mnist_manual  # noqa: F401  (fixtures)

warmup = import_module("scratchnet.cli.warmup")  # whose name in the package is the command's


def invoke(*arguments):
    return CliRunner().invoke(main, ["warmup", *arguments])


def test_the_nets_and_optimizers_are_the_examples(mnist_manual):  # noqa: F811
    for name, make in mnist_manual.MODELS.items():
        assert repr(make(10)) == repr(jobs.MODELS[name](10))
    made = {repr(make(lr)) for make, lr, _ in mnist_manual.OPTIMIZERS.values()}
    assert made == {repr(optimizer) for optimizer in jobs.OPTIMIZERS}
    usual = {option.name: option.default for option in mnist_manual.main.params}["optimizer"]
    make, lr, _ = mnist_manual.OPTIMIZERS[usual]
    assert repr(make(lr)) == repr(jobs.OPTIMIZERS[0])
    [models] = [option for option in main.commands["warmup"].params if option.name == "models"]
    assert list(models.type.choices) == list(jobs.MODELS) == models.default


def test_a_first_run_then_compiles_nothing(tmp_path, family):  # noqa: F811
    env = environment(tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "numba"))

    def run(*command):
        done = subprocess.run(
            [sys.executable, *map(str, command)], env=env, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    first, again = (run("-m", "scratchnet", "warmup") for _ in range(2))
    assert first.startswith("compiled ")
    assert again.startswith("nothing to compile")
    assert str(tmp_path / "numba") in first
    for model in jobs.MODELS:
        given = ("--data", "fashion", "--data-dir", family, "--epochs", 1, "--model", model, "--val", 7)
        for batch_size in (32, 128):
            run(EXAMPLES / "mnist_manual.py", *given, "--batch-size", batch_size, "--json", tmp_path / "f.json")
            assert json.loads((tmp_path / "f.json").read_text())["kernels_compiled"] == 0, (model, batch_size)


def test_all_is_every_layer_loss_and_optimizer():
    listed = dict(jobs.of_registry("float32"))
    assert set(listed) >= {*LAYERS, *LOSSES, "optimizers"}
    for name in ("ReLU", "Dropout", "Embedding", "Huber", "SoftmaxCrossEntropy"):
        listed[name]()


def test_a_bar_is_drawn_on_a_terminal_only():
    result = invoke("--model", "mlp")
    assert result.exit_code == 0
    assert result.stderr == ""


def test_nowhere_to_keep_kernels(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "kernel_cache", lambda: (tmp_path, False))
    result = invoke()
    assert result.exit_code == 2
    assert "no folder can be written" in result.stderr
    assert "NUMBA_CACHE_DIR" in result.stderr


def test_a_disk_that_is_full(monkeypatch):
    def full(jobs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(warmup, "_work", full)
    result = invoke()
    assert result.exit_code == 2
    assert "cannot be written: [Errno 28] No space left" in result.stderr


@pytest.mark.parametrize("arguments", [("--model", "rnn"), ("--dtype", "float16"), ("--batch-size", "0"), ("x",)])
def test_words_without_meaning(arguments):
    assert invoke(*arguments).exit_code == 2


def test_what_was_compiled_is_told(monkeypatch):
    done = Compilation()
    done.begin("a")
    done.end()
    monkeypatch.setattr(warmup, "_work", lambda jobs: done)
    assert "compiled 1 kernels in 0.0 s, kept in " in invoke().stdout
