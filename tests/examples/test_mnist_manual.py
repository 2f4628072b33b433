"""What the example prints, writes and returns, on a few pictures. Its accuracy on real data is in test_real_data.py."""

import json
import math
import re

import pytest

TINY = ("--data", "fashion", "--epochs", "2", "--batch-size", "16", "--val", "10")


@pytest.fixture
def tiny(family):
    return (*TINY, "--data-dir", family)


def test_figures_are_one_flat_object(call, figures, tiny):
    f = figures(call, *tiny, "--seed", "3")
    assert all(not isinstance(value, dict) for value in f.values())
    assert (f["data"], f["seed"], f["epochs"], f["batch_size"], f["val"]) == ("fashion", 3, 2, 16, 10)
    assert (f["optimizer"], f["schedule"], f["model"]) == ("momentum", "one cycle", "mlp")
    assert len(f["per_class"]) == 10
    assert sum(f["predicted"]) == 30
    assert [len(f[name]) for name in ("losses", "train_accuracies", "val_accuracies", "test_accuracies")] == [2] * 4
    assert f["images"] == 2 * 50
    assert f["images_per_second"] == pytest.approx(f["images"] / f["train_seconds"])
    assert 0 < f["train_seconds"] <= f["seconds"]
    assert f["peak_memory_mb"] is None or f["peak_memory_mb"] > 10
    assert f["interrupted"] is False
    assert f["stopped"] is None


def test_accuracies_are_exact_fractions(call, figures, tiny):
    f = figures(call, *tiny, "--val", "7")
    for name, n in (("test", 30), ("val", 7), ("train", 53)):
        correct = f[f"{name}_accuracy"] * n
        assert correct == pytest.approx(round(correct), abs=1e-9), name
    assert f["test_accuracy"] == f["test_accuracies"][-1]
    assert sum(f["per_class"]) / 10 == pytest.approx(f["test_accuracy"])  # three test pictures of each class


def test_it_learns(call, figures, tiny):
    f = figures(call, *tiny, "--epochs", "12", "--batch-size", "8", "--lr", "0.05", "--val", "0")
    assert f["test_accuracy"] > 0.9
    assert f["losses"][-1] < f["losses"][0] / 2
    assert f["val_accuracy"] is None


def test_same_seed_same_figures(call, figures, tiny):
    def of(*more):
        f = figures(call, *tiny, *more)
        return f["losses"], f["test_accuracy"]

    assert of("--seed", "1") == of("--seed", "1")
    assert of("--seed", "1") != of("--seed", "2")
    assert of("--seed", "1") != of("--seed", "1", "--no-shuffle")


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_optimizer_in_both_precisions(call, figures, tiny, optimizer, dtype):
    f = figures(call, *tiny, "--optimizer", optimizer, "--dtype", dtype)
    assert math.isfinite(f["losses"][-1])
    assert f["schedule"] == ("constant" if optimizer == "sgd" else "one cycle")


def test_cnn(call, figures, tiny):
    f = figures(call, *tiny, "--model", "cnn", "--epochs", "1")
    assert f["parameters"] == 16 * 9 + 16 + 32 * 16 * 9 + 32 + 32 * 49 * 128 + 128 + 1290


def test_samples_takes_the_first_and_leaves_a_tenth_for_validation(call, figures, family):
    f = figures(call, "--data", "fashion", "--data-dir", family, "--samples", "40", "--epochs", "2")
    assert f["val"] == 4
    assert f["images"] == 2 * 36


def test_one_step_is_enough_for_every_schedule(call, tiny):
    assert call(*tiny, "--samples", "2", "--epochs", "1", "--val", "0").code == 0


def test_what_is_printed(call, tiny):
    out = call(*tiny).out
    for piece in ("Settings", "batch_size  16", "train 50, val 10, test 30", "Ankle boot", "SGD(lr=0.2", "epoch 2/2",
                  "first batch: L1_W=", "L2_b=", "Test accuracy by class", "The first test pictures",
                  "accuracy on fashion: test",                  "peak memory", "Dense(128)"):  # fmt: skip
        assert piece in out, piece


def test_quiet_prints_the_result_only(call, tiny):
    out = call(*tiny, "--quiet").out
    assert out.startswith("accuracy on fashion: test ")
    assert out.count("\n") == 1


def test_settings_are_shown_in_one_order_whatever_was_typed_first(call, tiny):
    shown = [re.findall(r"^  (\w+)", call(*typed).out.partition("Data")[0], re.M) for typed in (tiny, _turned(tiny))]
    assert shown[0] == shown[1]
    assert shown[0][:3] == ["data", "data_dir", "model"]


def _turned(pairs):
    """("--a", 1, "--b", 2) -> ("--b", 2, "--a", 1)."""
    return [word for at in range(len(pairs) - 2, -1, -2) for word in pairs[at : at + 2]]


def test_help_names_every_option_and_says_what_a_number_is(call):
    out = call("--help").out
    for piece in ("--epochs N", "--val N", "[default: sgd 0.1,", "--quiet"):
        assert piece in out, piece
    assert "RANGE" not in out


@pytest.mark.parametrize("width", [20, 40, 79])
def test_no_line_is_wider_than_the_terminal(call, tiny, width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    ended = call(*tiny)
    assert ended.code == 0
    assert max(map(len, ended.out.splitlines())) <= width


def test_output_to_a_file_is_plain_text(start, tiny):
    ended = start("mnist_manual", *tiny, "--backend", "reference", PYTHONIOENCODING="ascii", TERM="xterm-256color")
    assert ended.code == 0, ended.err
    assert ended.err == ""
    assert all(character == "\n" or " " <= character <= "~" for character in ended.out)


def test_cpu_backend_tells_of_compilation_at_the_end_and_not_on_the_way(start, tiny, tmp_path):
    command = ("mnist_manual", *tiny, "--backend", "cpu", "--json", tmp_path / "f.json")
    told = []
    for out in ("kernels compiled meanwhile in", "accuracy on fashion"):
        ended = start(*command, NUMBA_CACHE_DIR=str(tmp_path / "numba"), timeout=300)
        assert (ended.code, ended.err) == (0, "")
        assert out in ended.out
        assert "compiling" not in ended.out  # which is for terminals
        f = json.loads((tmp_path / "f.json").read_text())
        told.append((f["kernels_compiled"], f["compile_seconds"]))
    assert told[0] > (0, 0.0)
    assert told[1] == (0, 0.0)


def test_a_loss_that_is_not_finite_ends_the_run(call, tiny, tmp_path):
    ended = call(*tiny, "--optimizer", "sgd", "--lr", "1e30", "--json", tmp_path / "f.json")
    assert ended.code == 2
    for piece in ("no longer finite", "epoch 1, batch ", "1e+30", "hint:"):
        assert piece in ended.err
    f = json.loads((tmp_path / "f.json").read_text())
    assert f["stopped"].startswith("the loss is no longer finite")
    assert f["test_accuracy"] is None


def test_drawn_digits_are_said_not_to_be_mnist(call, figures):
    ended = call("--data", "auto", "--samples", "50", "--epochs", "1")
    assert ended.code == 0
    assert "not MNIST" in ended.out
    quiet = call("--data", "auto", "--samples", "50", "--epochs", "1", "--quiet")
    assert "not MNIST" in quiet.err
    assert quiet.out.startswith("accuracy on drawn: test ")
