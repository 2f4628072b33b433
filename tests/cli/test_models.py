"""`scratchnet export` and `scratchnet inspect`: a checkpoint becomes files, and every file tells what it holds."""

import json
import os

import numpy as np
import pytest
from click.testing import CliRunner

from scratchnet import Dense, Flatten, Network, ReLU
from scratchnet.checkpoint import Checkpointer, Position
from scratchnet.checkpoint.file import write_arrays
from scratchnet.cli import main
from scratchnet.export import load_source


def scratchnet(*arguments):
    return CliRunner().invoke(main, [*map(str, arguments)])


@pytest.fixture
def net():
    return Network([Flatten(), Dense(5), ReLU(), Dense(3)], (1, 2, 2), backend="reference", seed=3)


@pytest.fixture
def folder(tmp_path, net):
    saver = Checkpointer(tmp_path / "kept")
    saver.begin(net)
    saver.epoch(Position(2, 0, 7), {"val_accuracy": 0.5}, {"data": "squares", "shuffled": True})
    return tmp_path / "kept"


def test_a_checkpoint_becomes_source_that_loads_again(folder, net, tmp_path):
    for style in ("literal", "packed"):
        out = tmp_path / f"{style}.py"
        result = scratchnet("export", folder, "--out", out, "--style", style)
        assert result.exit_code == 0, result.output
        assert "43 parameters" in result.output
        loaded = load_source(out, backend="reference")
        x = np.random.default_rng(0).normal(size=(4, 1, 2, 2)).astype("float32")
        np.testing.assert_array_equal(loaded.network.predict(x), net.predict(x))
        assert loaded.facts["data"] == "squares"
        assert loaded.facts["val_accuracy"] == 0.5
        assert loaded.facts["epochs"] == 1
        assert loaded.facts["shuffled"] == "yes"


def test_source_becomes_other_source(folder, tmp_path):
    module, again = tmp_path / "a.py", tmp_path / "b.c"
    assert scratchnet("export", folder, "-o", module).exit_code == 0
    assert scratchnet("export", module, "-o", again).exit_code == 0
    assert json.loads(scratchnet("inspect", again, "--json").output)["metadata"]["trained on"] == "squares"


@pytest.mark.parametrize("suffix", [".py", ".c", ".lean"])
def test_every_file_tells_what_it_holds(folder, net, tmp_path, suffix):
    out = tmp_path / f"model{suffix}"
    assert scratchnet("export", folder, "-o", out).exit_code == 0
    told = json.loads(scratchnet("inspect", out, "--json").output)
    assert told["verified"] is True
    assert told["metadata"]["parameters"] == "43"
    assert told["arrays"]["1.W"]["greatest"] == net.parameters.views["1.W"].max()
    assert [row["layer"] for row in told["architecture"]] == ["Flatten()", "Dense(5)", "ReLU()", "Dense(3)"]
    assert [row["parameters"] for row in told["architecture"]] == [0, 25, 0, 18]
    assert told["architecture"][1]["flops"] == 2 * 4 * 5


def test_a_folder_tells_of_its_newest_checkpoint(folder):
    result = scratchnet("inspect", folder)
    assert result.exit_code == 0, result.output
    shown = " ".join(result.output.split())
    for piece in (": a checkpoint", "trained on: squares", "epoch 2, batch 0, step 7", "SHA-256: right"):
        assert piece in shown, piece


@pytest.mark.parametrize("suffix", [".py", ".c", ".lean"])
def test_a_number_that_was_changed_is_told(folder, tmp_path, suffix):
    out = tmp_path / f"model{suffix}"
    assert scratchnet("export", folder, "-o", out).exit_code == 0
    text = out.read_text("utf-8")
    at = text.index("0.0", text.index("1.b") if suffix != ".py" else text.index("b1 ="))
    out.write_text(text[:at] + "0.5" + text[at + 3 :], "utf-8")
    result = scratchnet("inspect", out)
    assert result.exit_code == 1, result.output
    assert "WRONG" in result.output
    if suffix == ".py":
        result = scratchnet("export", out, "-o", tmp_path / "again.c")
        assert result.exit_code == 0
        assert "not verified" in result.output


def test_bad_input_is_told(folder, tmp_path):
    (tmp_path / "other.txt").write_text("nothing")
    (tmp_path / "other.py").write_text("print(1)")
    (tmp_path / "cut.safetensors").write_bytes(next(folder.iterdir()).read_bytes()[:-9])
    (tmp_path / "empty").mkdir()
    for name, message in (
        ("missing.py", "cannot be read"),
        ("other.txt", "no kind of file"),
        ("other.py", "no network that scratchnet exported"),
        ("cut.safetensors", "no whole checkpoint"),
        ("empty", "no checkpoint"),
    ):
        result = scratchnet("inspect", tmp_path / name)
        assert result.exit_code == 2, name
        assert message in result.output, (name, result.output)
        assert scratchnet("export", tmp_path / name, "--to", "c").exit_code == 2


def test_wrong_options(folder, tmp_path):
    assert "name the target" in scratchnet("export", folder).output
    assert "--to python" in scratchnet("export", folder, "--to", "c", "--style", "packed").output
    result = scratchnet("export", folder, "-o", tmp_path / "missing" / "m.py")
    assert result.exit_code == 2
    assert "error" in result.output


def test_a_folder_gives_the_file_its_whole_name(folder, tmp_path, monkeypatch):
    other = folder.rename(tmp_path / "lr0.1")
    monkeypatch.chdir(tmp_path)
    assert scratchnet("export", "lr0.1", "--to", "c").exit_code == 0
    assert (tmp_path / "lr0.1.c").is_file()
    monkeypatch.chdir(other)
    assert scratchnet("export", ".", "--to", "c").exit_code == 0
    assert (other / "lr0.1.c").is_file()


@pytest.mark.parametrize("given", ["file", "folder"])
def test_an_export_does_not_take_the_place_of_its_source(folder, given, monkeypatch):
    monkeypatch.chdir(folder)
    (kept,) = folder.iterdir()
    before = kept.read_bytes()
    source = (kept.name, "--to", "safetensors") if given == "file" else (".", "-o", kept.name)
    result = scratchnet("export", *source)
    assert result.exit_code == 2
    assert "its source" in result.output
    assert kept.read_bytes() == before


@pytest.mark.filterwarnings("default")
def test_a_damaged_newest_is_told_in_plain_words(folder):
    (folder / "000002_step9.safetensors").write_bytes(b"")
    result = scratchnet("inspect", folder)
    assert result.exit_code == 0, result.output
    assert "warning: this checkpoint is passed over" in result.stderr
    assert ".py" not in result.stderr
    assert "epoch 2, batch 0, step 7" in " ".join(result.stdout.split())


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.py")
    result = scratchnet("inspect", tmp_path / "pipe.py")
    assert result.exit_code == 2
    assert "a pipe" in result.output


def test_nothing_is_added_on_the_way_through_safetensors(folder, tmp_path):
    pytest.importorskip("onnx")
    first, *others = (tmp_path / f"model{suffix}" for suffix in (".py", ".safetensors", ".onnx", ".c", ".lean"))
    assert scratchnet("export", folder, "-o", first).exit_code == 0
    for other in others:
        assert scratchnet("export", first, "-o", other).exit_code == 0
        assert scratchnet("export", other, "-o", tmp_path / "again.py").exit_code == 0
        assert (tmp_path / "again.py").read_bytes() == first.read_bytes(), other


def test_what_a_stranger_wrote_is_shown_as_text(tmp_path):
    write_arrays(tmp_path / "a.safetensors", {"\x1b[31m\nb": np.ones(2)}, {"z": "\x1b[2J\nSHA-256: right"})
    result = scratchnet("inspect", tmp_path / "a.safetensors")
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.output
    assert [line for line in result.output.splitlines() if line.startswith("SHA")] == ["SHA-256: none in the file"]


def test_numbers_too_large_for_a_deviation(tmp_path):
    write_arrays(tmp_path / "a.safetensors", {"a": np.array([1e300, -1e300, 3e307])}, {})
    told = json.loads(scratchnet("inspect", tmp_path / "a.safetensors", "--json").output)["arrays"]["a"]
    assert (told["std"], told["greatest"]) == (None, 3e307)
    assert scratchnet("inspect", tmp_path / "a.safetensors").exit_code == 0
