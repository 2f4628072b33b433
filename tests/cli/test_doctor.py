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
