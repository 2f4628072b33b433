"""`scratchnet doctor`: what it reads, prints and returns."""

import json

from click.testing import CliRunner

from scratchnet.cli import main
from scratchnet.train import RunDir
from tests.diagnose.cases_data import raw_pixels
from tests.diagnose.runs import run


def doctor(*arguments):
    return CliRunner().invoke(main, ["doctor", *map(str, arguments)])


def written(path, history):
    """A run directory of a history, by the records that it was made of."""
    from scratchnet.train.history.records import Losses

    with RunDir(path, history.config) as folder:
        for record in history.data.values():
            folder.write(record)
        folder.write(Losses(first=1, values=tuple(history.losses), lr=tuple(history.lrs)))
        for record in (*history.looks, *history.epochs):
            folder.write(record)
    return path


def test_a_run_directory(tmp_path):
    result = doctor(written(tmp_path / "raw", raw_pixels()))
    assert result.exit_code == 1, result.output
    assert "1. The inputs are not scaled" in result.output


def test_a_healthy_run(tmp_path):
    result = doctor(written(tmp_path / "fine", run()))
    assert result.exit_code == 0, result.output
    assert "Nothing was found" in result.output


def test_case_2(tmp_path):
    """A history of zeros with a frozen validation loss."""
    path = tmp_path / "history.json"
    zeros = [0.0] * 15
    path.write_text(json.dumps({"train_loss": zeros, "train_acc": zeros, "val_loss": [9.5393] * 15, "val_acc": zeros}))
    result = doctor(path, "--json")
    assert result.exit_code == 1, result.output
    told = json.loads(result.output)
    assert told["order"][0] == "zero-batches"
    assert "frozen-validation" in told["order"]


def test_nothing_to_read(tmp_path):
    result = doctor(tmp_path / "missing")
    assert result.exit_code == 2
    assert "error" in result.output


RECIPE = """
from scratchnet.data import Split, drawn
from scratchnet.layers import Dense, Flatten, ReLU
from scratchnet.optim import SGD
from scratchnet.train import Recipe

train, val = (Split(name, *drawn(n, name=name)) for name, n in (("train", 600), ("val", 100)))

def raw():
    return Recipe(layers=(Flatten(), Dense(32), ReLU(), Dense(10)), train=train, val=val,
                  optimizer=SGD(0.1), batch_size=20, epochs=2, scale=1.0)

def scaled():
    return 1 / 255

def broken():
    raise ValueError("no data today")
"""


def test_a_recipe_proves_the_verdict(tmp_path):
    file = tmp_path / "recipes.py"
    file.write_text(RECIPE)
    folder, html = written(tmp_path / "raw", raw_pixels()), tmp_path / "page.html"
    result = doctor(folder, "--recipe", f"{file}::raw", "--html", html)
    assert result.exit_code == 1, result.output
    assert "Proof: the whole run again with one thing changed" in " ".join(result.output.split())
    assert 'id="proof"' in html.read_text("utf-8")
    proof = json.loads(doctor(folder, "--recipe", f"{file}::raw", "--json").stdout)["proof"]
    assert proof["trials"][0]["accuracy"] > proof["baseline"]["accuracy"]


def test_recipes_that_are_none(tmp_path):
    file, folder = tmp_path / "recipes.py", written(tmp_path / "raw", raw_pixels())
    file.write_text(RECIPE)
    for target, message in (
        (f"{tmp_path}/missing.py", "there is no such file"),
        (file, "there is no recipe in the file"),
        (f"{file}::other", "there is no recipe called other"),
        (f"{file}::scaled", "float"),
        (f"{file}::broken", "no data today"),
        (f"{file}::", "no name behind ::"),
    ):
        result = doctor(folder, "--recipe", target)
        assert result.exit_code == 2, target
        assert message in result.output, target
    assert doctor(folder, "--recipe", file, "--budget", "0").exit_code == 2
