"""Every benchmark runs to its end with tiny settings. Nothing here asserts a time: this is no quiet machine."""

import importlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scratchnet.data import write_idx

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"
PEERS = {"torch": "torch", "jax": "jax", "sklearn": "sklearn"}  # engine -> package
installed = [engine for engine, package in PEERS.items() if importlib.util.find_spec(package)]


@pytest.fixture
def start(tmp_path):
    """start("kernels", *arguments) runs a benchmark and returns (exit code, standard output, standard error)."""

    def run(name, *arguments, timeout=280, **more):
        own = {n: v for n, v in os.environ.items() if n not in ("SCRATCHNET_DATA", "SCRATCHNET_DEBUG", "FORCE_COLOR")}
        paths = os.pathsep.join(filter(None, [str(ROOT / "kernels"), str(ROOT), os.environ.get("PYTHONPATH")]))
        command = [sys.executable, str(BENCHMARKS / f"{name}.py"), *map(str, arguments)]
        done = subprocess.run(
            command, env=own | {"PYTHONPATH": paths} | more, cwd=tmp_path, capture_output=True, text=True,
            timeout=timeout, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def mnist(tmp_path):
    """A folder in which 640 + 100 pictures of noise stand for MNIST."""
    rng, folder = np.random.default_rng(0), tmp_path / "mnist"
    folder.mkdir()
    for prefix, n in (("train", 640), ("t10k", 100)):
        write_idx(folder / f"{prefix}-images-idx3-ubyte.gz", rng.integers(0, 256, (n, 28, 28), np.uint8))
        write_idx(folder / f"{prefix}-labels-idx1-ubyte.gz", rng.integers(0, 10, n).astype(np.uint8))
    return str(tmp_path)


TRAIN_SPEED = ("--rounds", 1, "--seconds", 0.001, "--threads", 1)


@pytest.mark.parametrize("engine", [None, *PEERS])
def test_train_speed(start, tmp_path, mnist, engine):
    if engine and engine not in installed:
        pytest.skip(f"{engine} is not installed")
    engines = ["scratchnet", *filter(None, [engine])]
    asked = "--nets", "mlp", "--batches", 32, "--engines", ",".join(engines), "--json", tmp_path / "f.json"
    code, out, err = start("train_speed", *TRAIN_SPEED, *asked, SCRATCHNET_DATA=mnist)
    assert code == 0, out + err
    f = json.loads((tmp_path / "f.json").read_text())
    assert f["about"]["data"] == {"mlp": "MNIST"}
    assert [row["engine"] for row in f["rows"]] == engines
    for row in f["rows"]:
        assert not row["why_not"]
        assert len(row["losses"]) == 5
        assert row["step"] > 0
        assert row["share"] > 0
        arithmetic = 2 * 32 * (2 * 784 * 128 + 3 * 128 * 10)  # no dx of the first layer
        assert row["gflop"] == pytest.approx(arithmetic / 1e9)
        assert list(row["ratio"]) == ([] if row["engine"] == "scratchnet" else ["scratchnet"])


@pytest.mark.skipif("torch" not in installed, reason="torch is not installed")
@pytest.mark.parametrize("net", ["cnn", "cnn_bn", "resnet", "lstm", "attention", "deep"])
def test_every_net_is_the_same_net_in_scratchnet_and_torch(net):
    nets, ours, torch = (_module(name) for name in ("_nets", "_engine_scratchnet", "_engine_torch"))
    given, x = nets.NETS[net], np.random.default_rng(0).random((3, *nets.NETS[net].shape), np.float32)
    made = ours.network(given, "")
    logits, _ = made.forward(x.reshape(3, *made.input_shape), training=True)
    module = torch.module(net)
    for parameter, value in zip(module.parameters(), given.weights(), strict=True):
        parameter.data.copy_(torch.torch.from_numpy(value))
    expected = module(torch.torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(logits, expected, rtol=1e-3, atol=1e-4)


def test_losses_that_disagree_are_found():
    speed = _module("train_speed")
    rows = [speed.Row("mlp", 1, name, losses=[2.3, 2.2, last]) for name, last in (("scratchnet", 2.1), ("torch", 2.1))]
    assert speed.disagreement(rows) == ""
    for wrong in (2.1 * (1 + 2 * speed.TOLERANCE), float("nan")):
        rows[1].losses[2] = wrong
        assert "step 2: torch" in speed.disagreement(rows)


def test_an_order_that_is_not_the_loaders_is_refused(monkeypatch, mnist):
    nets, ours = _module("_nets"), _module("_engine_scratchnet")
    monkeypatch.setenv("SCRATCHNET_DATA", mnist)
    monkeypatch.setattr(ours, "orders", lambda n, batch, first, steps: iter([np.arange(batch)]))
    with pytest.raises(RuntimeError, match="order"):
        ours.Engine(nets.NETS["mlp"], 32, "")


def test_what_is_not_there_is_not_run(start, tmp_path):
    lacking = [engine for engine in PEERS if engine not in installed]
    code, out, err = start(
        "train_speed", "--nets", "cnn", "--batches", 2, *TRAIN_SPEED, "--engines", "sklearn,scratchnet"
    )
    assert code == 0, out + err
    assert "NOT RUN sklearn: " in out
    assert ("is not installed" in out) == ("sklearn" in lacking)
    for wrong in (("--nets", "perceptron"), ("--engines", "abacus"), ("--rounds", "0")):
        code, out, err = start("train_speed", *wrong)
        assert code == 2
        assert "usage" in err


def test_kernels(start, tmp_path):
    given = "--rounds", 1, "--seconds", 0.001, "--threads", 1, "--json", tmp_path / "f.json"
    for only in ("Dense 128→10", "softmax_cross_entropy"):
        code, out, err = start("kernels", *given, "--only", only)
        assert code == 0, out + err
        rows = json.loads((tmp_path / "f.json").read_text())["rows"]
        assert [row["part"] for row in rows] == ["forward", "backward"]
        assert all(row["seconds"] > 0 and row["bytes"] > 0 and row["roof"] > 0 for row in rows)
        assert all((row["ratio"] is not None) == ("torch" in installed) for row in rows)
        if only.startswith("Dense"):
            assert [row["flops"] for row in rows] == [2 * 128 * 128 * 10, 4 * 128 * 128 * 10]


def test_time_to_accuracy(start, tmp_path, mnist):
    given = "--targets", 98, "--runs", 1, "--threads", 1, "--json", tmp_path / "f.json"
    code, out, err = start("time_to_accuracy", *given, SCRATCHNET_DATA=mnist)
    assert code == 0, out + err
    written = json.loads((tmp_path / "f.json").read_text())
    rows = written["rows"]
    assert [row["cache"] for row in rows] == ["cold", "warm", *[""] * ("torch" in installed)]
    for row in rows:
        assert row["whole"] > row["training"] > 0
        assert 0 <= row["accuracy"] <= 1
    assert rows[0]["runs"][0]["accuracy"] == rows[1]["runs"][0]["accuracy"]  # one seed, cold and warm
    found = {(f["cache"], f["what"]): f["seconds"] for f in written["findings"]}
    assert found == {
        ("warm", "training alone"): rows[1]["training"],
        ("warm", "from process start"): rows[1]["whole"],
        ("cold", "from process start"): rows[0]["whole"],
    }
    code, _, err = start("time_to_accuracy", *given)
    assert (code, "SCRATCHNET_DATA" in err) == (2, True)


def test_memory(start, tmp_path):
    few = "--samples", 640, "--val", 40
    given = "--models", "mlp", *few, "--threads", 1, "--own-cache", "--json", tmp_path / "f.json"
    code, out, err = start("memory", *given)
    assert code == 0, out + err
    [row] = json.loads((tmp_path / "f.json").read_text())["rows"]
    assert row["data"] == pytest.approx((640 + 10_000) * 784 / 1e6)
    assert 50 < row["interpreter_and_data"] < row["training"]
    assert row["above"] == pytest.approx(row["kernels"] + row["rest"])
    for wrong in (("--models", "rnn"), ("--threads", "0")):
        assert start("memory", *wrong)[0] == 2


def test_scaling(start, tmp_path):
    given = "--rounds", 1, "--seconds", 0.001, "--json", tmp_path / "f.json"
    for only in ("parameters", "threads"):
        code, out, err = start("scaling", *given, "--only", only)
        assert code == 0, out + err
        rows = json.loads((tmp_path / "f.json").read_text())["rows"]
        if only == "parameters":
            assert [round(row["factor"]) for row in rows] == [1, 2, 4, 8]
            assert rows[-1]["what"] == f"{784 * 1024 + 1024 + 10240 + 10:,}"
        assert rows[0]["growth"] == rows[0]["each"] == 1
        assert all(row["ms"] > 0 for row in rows)
        assert all(row["growth"] == row["each"] * row["factor"] for row in rows)
    assert start("scaling", "--only", "width")[0] == 2


def test_recipes(monkeypatch, mnist):
    """What is held out for validation is not trained on."""
    recipes = _module("_recipes")
    for recipe in recipes.RECIPES.values():
        assert str(recipe.epochs) in str(recipe)
    monkeypatch.setenv("SCRATCHNET_DATA", mnist)
    train, held_out = recipes.samples("validation")
    everything = recipes.mnist("train")
    assert [len(part) for part in (*train, *held_out())] == [534, 534, 106, 106]
    np.testing.assert_array_equal(np.concatenate([held_out()[0], train[0]]), everything[0])
    np.testing.assert_array_equal(np.concatenate([held_out()[1], train[1]]), everything[1])
    train, held_out = recipes.samples("test")
    np.testing.assert_array_equal(train[0], everything[0])
    np.testing.assert_array_equal(held_out()[0], recipes.mnist("t10k")[0])


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("mlp_epoch", ("--rounds", 1, "--batch-size", 512)),
        ("bug_zoo", ("--only", "relu", "--quiet")),
        ("false_alarms", ("--checks", 1, "--seed", 1, "--jobs", 1)),
    ],
)
def test_the_others(start, name, arguments):
    code, out, err = start(name, *arguments)
    assert code == 0, out + err
    assert out


def _module(name):
    """A file of benchmarks/, imported as its programs import it."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(BENCHMARKS))


def test_monitors(start, tmp_path, mnist):
    asked = "--models", "mlp", "--batch-size", 16, "--every", 5, "--rounds", 2, "--json", tmp_path / "f.json"
    code, out, err = start("monitors", *asked, SCRATCHNET_DATA=mnist)
    assert code == 0, out + err
    (row,) = json.loads((tmp_path / "f.json").read_text())["rows"]
    assert (row["model"], row["same_bits"], len(row["ratios"])) == ("mlp", True, 2)
    assert row["look"] > 0


def test_export(start, tmp_path):
    asked = "--data", "drawn", "--samples", 300, "--epochs", 1, "--json", tmp_path / "e.json"
    code, out, err = start("export", *asked)
    assert code == 0, out + err
    rows = json.loads((tmp_path / "e.json").read_text())["rows"]
    assert {"python literal", "python packed"} <= {row["target"] for row in rows}
    for row in rows:
        assert row["other_classes"] == 0
        assert row["relative"] < 1e-5
