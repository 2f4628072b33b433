"""The two cases, on a few pictures: what both promise. What they find on real data is in test_real_data.py."""

import json
import signal
import subprocess
import sys
import time

import pytest

from .conftest import EXAMPLES, environment

CASES = ("lr_scale_debugging", "zero_metrics")
TINY = ("--data", "fashion", "--samples", "20", "--passes", "1")


@pytest.fixture
def tiny(calls, family):
    """tiny("zero_metrics", ...) runs it on 20 pictures."""
    return lambda case, *more: calls(case, *TINY, "--data-dir", family, *more)


def test_lr_scale_tells_its_chapters_and_writes_them_down(tiny, tmp_path):
    ended = tiny("lr_scale_debugging", "--json", "f.json", "--html", "case.html", "--plots", "pictures")
    assert ended.code == 0, ended.err
    for piece in ("1. The symptom", "Test accuracy by class", "2. Is it the data?", "‖dW1‖/‖db1‖", "‖ΔW1‖/‖W1‖",
                  "inputs unscaled: pixels / 255", "LR too high: LR / 1000", "Of every sample", "at best", "the cure",
                  "8. The doctor", "Proof: the whole run again", "first cause: ",
                  "accuracy on fashion: test"):  # fmt: skip
        assert piece in ended.out, piece
    f = json.loads((tmp_path / "f.json").read_text())
    assert len(f["sweep_rates"]) == len(f["sweep"]) == len(f["sweep_scaled"]) == 7
    first = f["first_step"]
    assert first["‖dW1‖/‖db1‖"] == pytest.approx(first["‖x‖"], rel=1e-4)
    assert first["‖dW2‖/‖db2‖"] == pytest.approx(first["‖h‖"], rel=1e-4)
    assert first["‖x‖"] == pytest.approx(255 * f["first_step_scaled"]["‖x‖"], rel=1e-4)
    assert f["sweep"][4] == f["as_it_was"][-1]  # the author's rate is among them
    assert f["sweep_scaled"][4] == f["cured"][-1] == f["test_accuracy"]
    assert f["sweep"][1] == f["fixed"][-1]
    trials = {trial["text"]: trial["accuracy"] for trial in f["diagnosis"]["proof"]["trials"]}
    assert trials["inputs / 255 at the same LR"] == f["test_accuracy"]  # the doctor's own loop comes to the same
    assert len(f["norms_right"]) + len(f["norms_wrong"]) == 20
    page = (tmp_path / "case.html").read_text()
    assert "inputs / 255 at the same LR" in page
    assert {path.name for path in (tmp_path / "pictures").iterdir()} == {"sweep.png", "epochs.png"}


def test_zero_metrics_finds_both_faults(tiny, tmp_path):
    ended = tiny("zero_metrics", "--passes", "8", "--samples", "60", "--json", "f.json")
    assert ended.code == 0, ended.err
    f = json.loads((tmp_path / "f.json").read_text())
    assert (f["zeros_first"], f["two_maps_first"]) == ("zero-batches", "labels-remapped")
    assert set(f["zeros"]["train_loss"]) == set(f["zeros"]["train_acc"]) == {0.0}
    assert len(set(f["zeros"]["val_loss"])) == 1
    assert f["two_maps"]["val_acc"][-1] < 0.2 < 0.8 < f["val_accuracy"]
    off = dict(zip(f["batch_sizes"], f["fix_off"], strict=True))
    assert off[27] == pytest.approx(0)  # of 27 samples, one batch is exact
    assert off[1] == pytest.approx(0)
    assert f["console_samples"][0] == 496
    for piece in ("an epoch would have no batch", "0.20% is 1, 0.60% is 3, 2.42% is 12 of 496", "ln 10 = 2.303"):
        assert piece in ended.out, piece


def test_the_fix_is_off_where_the_last_batch_is_smaller(calls):
    module = sys.modules.get("zero_metrics_author") or __import__("zero_metrics_author")
    tracker = module.Tracker()
    for labels, value in (([1, 1, 1, 1], 1.0), ([0], 6.0)):
        logits = [[0.0, 1.0]] * len(labels)
        tracker.add(*map(module.np.array, (logits, labels)), value)
    assert (tracker.loss, tracker.accuracy) == (2.0, 0.8)
    assert tracker.fixed == (3.5, 0.5)
    assert (module.Tracker().loss, module.Tracker().accuracy) == (0.0, 0.0)  # what the case began with


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("width", [24, 60])
def test_no_line_is_wider_than_the_terminal(tiny, case, width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    ended = tiny(case)
    assert ended.code == 0, ended.err
    assert max(map(len, ended.out.splitlines())) <= width


@pytest.mark.parametrize("case", CASES)
def test_output_to_a_file_is_plain_text_and_the_same_every_time(start, family, case):
    def run():
        more = {"PYTHONIOENCODING": "ascii", "TERM": "xterm-256color"}
        ended = start(case, *TINY, "--data-dir", family, "--backend", "reference", "--quiet", **more)
        assert (ended.code, ended.err) == (0, "")
        return ended.out

    first = run()
    assert all(character == "\n" or " " <= character <= "~" for character in first)
    assert first == run()
    assert first.count("\n") == (2 if case == "lr_scale_debugging" else 3)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--epochs", "3"), "No such option"),
        (("--data", "minst"), "'minst' is not one of"),
        (("--passes", "0"), "0 is not in the range"),
        (("--samples", "61"), "samples is out of range"),
        (("--data-dir", "nowhere"), "no such folder"),
        (("--json", "nowhere/f.json"), "the JSON file cannot be written"),
    ],
)
def test_bad_input(tiny, case, arguments, says):
    ended = tiny(case, *arguments)
    assert ended.code == 2
    assert says in ended.err
    assert "Traceback" not in ended.out + ended.err


@pytest.mark.parametrize("case", CASES)
def test_no_data(calls, case):
    ended = calls(case, "--data", "mnist")
    assert ended.code == 2
    assert "mnist could not be downloaded" in ended.err


def test_pictures_and_pages_that_cannot_be_made_are_found_first(tiny, tmp_path, monkeypatch):
    ended = tiny("lr_scale_debugging", "--html", tmp_path / "nowhere" / "case.html")
    assert (ended.code, ended.out) == (2, "")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    ended = tiny("lr_scale_debugging", "--plots", "pictures")
    assert ended.code == 2
    assert "needs matplotlib" in ended.err
    assert not (tmp_path / "pictures").exists()


@pytest.mark.parametrize("case", CASES)
def test_ctrl_c_ends_with_what_is_known(case, tmp_path):
    command = [sys.executable, str(EXAMPLES / f"{case}.py"), "--data", "drawn", "--samples", "100", "--passes", "20000"]
    command += ["--backend", "reference", "--json", str(tmp_path / "f.json")]
    own = environment(tmp_path, PYTHONUNBUFFERED="1")
    with subprocess.Popen(command, env=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            process.stdout.readline()
            process.stdout.readline()  # the first chapter's heading: the signal is listened to, or will be at once
            time.sleep(2)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130, err
    assert b"Traceback" not in err
    assert b"interrupted after" in out
    assert json.loads((tmp_path / "f.json").read_text())["interrupted"] is True
