"""The doctor's benchmark: its halves, its labels, its counting. A few runs of the suite are made here."""

import importlib
import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numba  # noqa: TID251  (how many threads it has is set here)
import pytest

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"
CAUSES = """
inputs-unscaled labels-out-of-range labels-shuffled labels-remapped class-imbalance data-order split-leak zero-batches
lr-too-high lr-too-low initial-loss wrong-fan zero-init huge-init symmetric-init dead-relu saturated-units
exploding-gradients vanishing-gradients double-softmax wrong-sign wrong-scale not-zeroed frozen-parameters
missing-nonlinearity wrong-mode momentum-diverges regularisation-too-strong overfitting underfitting plateau loss-spike
late-divergence non-finite impossible-accuracy wrong-split frozen-validation
""".split()  # noqa: SIM905


@pytest.fixture
def module(monkeypatch):
    """module("_doctor_suite") is that file of benchmarks/."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.delenv("SCRATCHNET_DATA", raising=False)
    return importlib.import_module


def start(*arguments):
    own = {n: v for n, v in os.environ.items() if n not in ("SCRATCHNET_DATA", "SCRATCHNET_DEBUG")}
    paths = os.pathsep.join(filter(None, [str(ROOT / "kernels"), str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, str(BENCHMARKS / "doctor.py"), *map(str, arguments)]
    return subprocess.run(
        command, env=own | {"PYTHONPATH": paths}, capture_output=True, text=True, timeout=280, check=False
    )


def test_every_cause_has_runs_in_both_halves(module):
    found = module("_doctor_suite").entries()
    assert sorted({e.cause for e in found}) == sorted([*CAUSES, "healthy"])
    assert len({e.id for e in found}) == len(found)
    sizes = Counter((e.cause, e.half) for e in found)
    for cause in CAUSES:
        assert sizes[cause, "development"] == sizes[cause, "held-out"] >= 3
    assert sizes["healthy", "development"] == sizes["healthy", "held-out"] >= 100
    assert sum(e.fault is not None for e in found) >= 120
    assert found == module("_doctor_suite").entries()


def test_what_is_equal_or_a_second_answer_is_a_cause(module):
    rules = module("_doctor_rules")
    module("_doctor_suite")
    named = [name for pair in rules.EQUAL for name in pair]
    for cause, faults in rules.FAULTS.items():
        for fault in faults:
            named += fault.second
            assert cause not in fault.second
    assert set(named) <= set(CAUSES)


def test_a_fault_that_does_nothing_gets_no_label(module, monkeypatch):
    suite, rules = module("_doctor_suite"), module("_doctor_rules")
    monkeypatch.setattr(suite, "TRIES", 2)
    entry = next(e for e in suite.entries() if e.cause == "lr-too-low")
    assert suite.make(entry) is not None
    idle = replace(entry.fault, apply=lambda setup, rng: None)
    for rule in ("worse", "slower", "starts_far", "underfits", "stands_still", "leaps", "turns", "not_finite"):
        assert suite.make(replace(entry, fault=replace(idle, rule=getattr(rules, rule)))) is None, rule


def test_a_run_is_the_same_each_time_and_with_a_monitor(module):
    base, loop = module("_doctor_base"), module("_doctor_loop")
    runs = [loop.run(base.draw_base(base.recipe_rng("same", 3)), watched=watched) for watched in (True, False, False)]
    assert runs[0].losses == runs[1].losses == runs[2].losses
    assert runs[0].recorded.looks
    assert runs[0].recorded.losses == runs[0].said


def test_a_healthy_run_that_does_not_learn_is_left_out(module):
    base, rules, loop = module("_doctor_base"), module("_doctor_rules"), module("_doctor_loop")
    setup = base.draw_base(
        base.recipe_rng("blobs", 1), base.Wants(tasks=("blobs",), nets=("mlp",), optimizers=("adam",))
    )
    assert rules.healthy(loop.run(setup), setup)
    setup.with_lr(1e-6)
    assert not rules.healthy(loop.run(setup), setup)


def test_counting(module):
    score = module("_doctor_score")

    def row(cause, *said, half="held-out", second=(), kept=True):
        return score.Row(f"{cause}-0", cause, half, False, "", list(second), kept=kept, said=list(said))

    rows = [
        row("lr-too-high", "lr-too-high"),
        row("lr-too-high", "dead-relu", "lr-too-high", second=["dead-relu"]),
        row("lr-too-high", "a", "b", "c", "lr-too-high"),
        row("lr-too-high"),
        row("zero-init", "symmetric-init"),
        row("plateau", kept=False),
        row("healthy"),
        row("healthy", "overfitting"),
    ]
    s = score.score(rows)
    assert (s.first.hits, s.three.hits, s.exactly.hits, s.first.n) == (2, 3, 1, 5)
    of = s.causes["lr-too-high"]
    assert (of.n, of.first, of.three, of.second) == (4, 1, 2, 1)
    assert of.instead == {"dead-relu *": 1, "a": 1, "nothing": 1}
    assert (s.false_alarms.hits, s.false_alarms.n, s.alarms) == (1, 2, {"overfitting": 1})
    assert s.dropped == ["plateau-0"]
    text = score.table("held-out", s)
    assert "2 of 5, 40.0% [11.8%, 76.9%]" in text  # Wilson's interval, by hand
    assert set(score.halves([*rows, row("plateau", "plateau", half="development")])) == {
        "development", "held-out", "both"
    }  # fmt: skip
    assert json.loads(json.dumps(score.as_dict(score.halves(rows), rows)))["halves"]["held-out"]["first"]["hits"] == 2


@contextmanager
def one_thread():
    """Kernels on one thread."""
    many = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        yield
    finally:
        numba.set_num_threads(many)


def test_runs_are_recorded_and_read_back(module, tmp_path, monkeypatch):
    some = "healthy-0", "zero-batches-0", "labels-out-of-range-1", "wrong-split-2"
    done = start("--record", tmp_path / "runs", "--jobs", 1, "--only", *some)
    assert done.returncode == 0, done.stdout + done.stderr
    store, doctor, suite = module("_doctor_store"), module("doctor"), module("_doctor_suite")
    kept = {row.id: (row, history) for row, history in store.read_runs(tmp_path / "runs")}
    assert set(kept) == set(some)
    assert all(row.kept for row, _ in kept.values())
    row, history = kept["healthy-0"]
    entry = next(e for e in suite.entries() if e.id == "healthy-0")
    with one_thread():  # as in the processes of --jobs: with another number sums are made up of other parts
        made = suite.make(entry).outcome.recorded
    assert (history.losses, history.data) == (made.losses, made.data)
    passing = {"memory_mb": None, "samples_per_second": None}
    for read, was in zip(history.looks, made.looks, strict=True):
        assert replace(read, **passing) == replace(was, **passing)
    assert row.said is None
    empty = kept["zero-batches-0"][1]
    assert {e.batches for e in empty.epochs} == {0}
    assert kept["labels-out-of-range-1"][1].end.message.startswith("TargetError")
    monkeypatch.setattr("scratchnet.diagnose.diagnose", Said("lr-too-low", "plateau"), raising=False)
    assert doctor.ask(row, history).said == ["lr-too-low", "plateau"]


class Said:
    """A doctor who says the same of every run."""

    def __init__(self, *order):
        self.order = order

    def __call__(self, history):
        return self


def test_wrong_arguments():
    done = start("--list", "--half", "development", "--only", "lr-too-high", "healthy-0")
    assert done.returncode == 0
    assert "declared equal" in done.stdout
    assert "held-out" not in done.stdout
    assert start("--only", "gremlins").returncode == 2
