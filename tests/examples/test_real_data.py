"""Real MNIST: what happens when pixels are left at 0..255, and when they are not."""

import os

import pytest

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not os.environ.get("SCRATCHNET_DATA"), reason="SCRATCHNET_DATA is not set to a folder of data"),
]
REAL = os.environ.get("SCRATCHNET_DATA", "")
FIRST_500 = (
    "--samples",
    "500",
    "--val",
    "0",
    "--batch-size",
    "1",
    "--no-shuffle",
    "--epochs",
    "5",
    "--optimizer",
    "sgd",
)


@pytest.fixture
def run(call, figures):
    def on_mnist(*arguments):
        return figures(call, "--data", "mnist", "--data-dir", REAL, *FIRST_500, *arguments)

    return on_mnist


def test_raw_pixels_collapse_to_one_class(run):
    f = run("--pixels", "raw", "--lr", "0.01")
    assert 0.09 < f["test_accuracy"] < 0.13
    assert max(f["predicted"]) == f["predicted"][1] > 9500


def test_raw_pixels_and_a_thousandth_of_the_learning_rate_only_half_mend_it(run):
    f = run("--pixels", "raw", "--lr", "1e-5")
    assert 0.65 < f["test_accuracy"] < 0.71


def test_scaled_pixels_need_no_other_learning_rate(run):
    f = run("--pixels", "unit", "--lr", "0.01")
    assert 0.82 < f["test_accuracy"] < 0.85
    assert f["train_accuracy"] > 0.98


def test_the_ratio_of_norms_is_the_norm_of_the_input(call):
    """For one sample dW1 = d1 xᵀ and db1 = d1, so ‖dW1‖/‖db1‖ = ‖x‖: 2437 for the first picture left at 0..255."""
    arguments = (
        "--pixels",
        "raw",
        "--lr",
        "0.01",
        "--samples",
        "1",
        "--val",
        "0",
        "--epochs",
        "1",
        "--optimizer",
        "sgd",
    )
    out = call("--data", "mnist", "--data-dir", REAL, *arguments).out
    first = next(line for line in out.splitlines() if "first batch:" in line)
    norms = dict(pair.split("=") for pair in first.split("batch: ")[1].split())
    assert float(norms["L1_W"].replace(",", "")) / float(norms["L1_b"]) == pytest.approx(2437.2, rel=2e-3)


def test_the_case_of_the_learning_rate(calls, figures):
    f = figures(
        lambda *more: calls("lr_scale_debugging", "--data", "mnist", "--data-dir", REAL, "--backend", "cpu", *more)
    )
    assert f["diagnosis"]["order"][0] == "inputs-unscaled"
    assert 0.09 < f["as_it_was"][-1] < 0.13
    assert 0.65 < f["fixed"][-1] < 0.72
    assert 0.82 < f["cured"][-1] < 0.86
    assert max(f["sweep"]) < max(f["sweep_scaled"]) == f["cured"][-1]
    assert f["first_step"]["‖dW1‖/‖db1‖"] == pytest.approx(2437.2, rel=1e-4)
    assert f["first_step"]["‖db2‖"] == pytest.approx(2**0.5, rel=1e-4)
    assert f["zeros_after_an_epoch"] > 0.999


def test_the_case_of_the_zeros(calls, figures):
    f = figures(lambda *more: calls("zero_metrics", "--data", "mnist", "--data-dir", REAL, *more))
    assert (f["zeros_first"], f["two_maps_first"]) == ("zero-batches", "labels-remapped")
    assert f["two_maps"]["val_loss"][-1] > 2.3026 * 2
    assert f["train_accuracy"] > 0.98
    assert abs(f["fix_off"][1]) > 0.01  # a last batch of one sample
