"""Suspects put to the test: what is run, what is said of it, and what it does to the ranking."""

import io
import json
import signal
from dataclasses import replace

import numpy as np
import pytest

from scratchnet.core.errors import ConfigError
from scratchnet.data import Split, drawn
from scratchnet.diagnose import Diagnosis, Found, Outcome, Proof, Trial, counterfactual, diagnose, prove
from scratchnet.diagnose.counterfactual import judged, plan
from scratchnet.diagnose.diagnosis import arranged
from scratchnet.diagnose.page import page
from scratchnet.diagnose.report import show
from scratchnet.layers import Dense, Flatten, ReLU
from scratchnet.optim import SGD
from scratchnet.train import History, Recipe
from scratchnet.train.shown.formats import percent

TRAIN, TEST = Split("train", *drawn(300, seed=0, name="train")), Split("test", *drawn(200, seed=0, name="test"))
RAW = Recipe(layers=(Flatten(), Dense(32), ReLU(), Dense(10)), train=TRAIN, test=TEST, optimizer=SGD(0.05),
             batch_size=4, epochs=3, scale=1.0, backend="reference", every=10)  # fmt: skip


def found(**sure):
    findings, order = arranged({id.replace("_", "-"): Found(value) for id, value in sure.items()})
    return Diagnosis(findings, order, (), ())


def outcome(accuracy, **changes):
    return Outcome(**{"steps": 100, "seconds": 1.0, "split": "val", "total": 1000, "accuracy": accuracy, "loss": 1.0,
                      "chance": 0.1} | changes)  # fmt: skip


def proof(baseline, *trials, steps=100):
    return Proof(outcome(baseline), tuple(Trial(*trial) for trial in trials), steps, 100, 1.0)


def sureness(diagnosis):
    return {finding.cause.id: finding.found.sure for finding in diagnosis}


@pytest.fixture(scope="module")
def proven():
    return prove(diagnose(RAW.run()), RAW)


def test_raw_pixels_are_the_cause_by_experiment(proven):
    assert proven.order[0] == "inputs-unscaled"
    trials = {trial.text: trial.outcome for trial in proven.proof.trials}
    assert set(trials) >= {"inputs / 255 at the same LR", "LR / 10", "LR / 100", "LR / 1000"}
    cured, as_it_was = trials["inputs / 255 at the same LR"], proven.proof.baseline
    assert cured.accuracy > as_it_was.accuracy + 0.3
    assert proven.proof.best().outcome is cured
    assert {trial.outcome.steps for trial in proven.proof.trials} == {225} == {proven.proof.whole}
    assert cured.split == "test"
    quoted = proven.first.found.evidence[-1].text
    for one in (cured, as_it_was):
        assert one.reached in quoted
    assert sureness(proven)["inputs-unscaled"] > sureness(diagnose(RAW.run()))["inputs-unscaled"]


def test_outcomes_are_what_the_runs_themselves_come_to(proven):
    for trial, recipe in ((proven.proof.baseline, RAW), (proven.proof.trials[0].outcome, replace(RAW, scale=1 / 255))):
        last = recipe.run().epochs[-1].splits["test"]
        assert (trial.accuracy, trial.loss) == (last.accuracy, pytest.approx(last.loss))


@pytest.mark.parametrize("width", ["30", "80"])
def test_what_is_printed(proven, width, monkeypatch):
    monkeypatch.setenv("COLUMNS", width)
    text = io.StringIO()
    show(proven, text)
    lines = text.getvalue().splitlines()
    assert max(map(len, lines)) <= int(width)
    flat = " ".join(text.getvalue().split())
    for piece in ("Proof: the whole run again with one thing changed", "LR / 1000",
                  proven.proof.best().outcome.reached, "inputs / 255 at the same LR"):  # fmt: skip
        assert piece in flat, piece


def test_json_says_it_all(proven):
    told = json.loads(json.dumps(proven.as_dict(), allow_nan=False))["proof"]
    assert told["baseline"]["accuracy"] == proven.proof.baseline.accuracy
    assert [trial["text"] for trial in told["trials"]] == [trial.text for trial in proven.proof.trials]
    assert told["trials"][0]["causes"] == ["inputs-unscaled"]
    assert diagnose(RAW.run()).as_dict()["proof"] is None


def test_a_page_shows_the_trials(proven):
    shown = page(History(), proven)
    first = proven.proof.baseline
    for piece in (percent(first.accuracy), f"--share:{100 * first.accuracy:.1f}%", "measured on", "inputs-unscaled",
                  *(trial.text for trial in proven.proof.trials)):  # fmt: skip
        assert piece in shown, piece
    assert 'id="proof"' not in page(History(), diagnose(RAW.run(epochs=1)))


def test_a_function_may_make_the_recipe(proven):
    again = prove(diagnose(RAW.run()), lambda: RAW, steps=20)
    assert again.proof.steps == 20
    assert again.proof.trials[0].outcome.steps == 20


def test_the_guess_is_tried_beside_the_cause():
    planned = plan(found(inputs_unscaled=0.9), RAW)
    assert [(one.change.text, one.causes) for one in planned] == [
        ("inputs / 255 at the same LR", ("inputs-unscaled",)), ("LR / 10", ()), ("LR / 100", ()), ("LR / 1000", ()),
    ]  # fmt: skip


def test_one_change_for_two_suspects_is_made_once():
    recipe = replace(RAW, layers=(Flatten(), Dense(32, init=lambda rng, shape: 5 * rng.normal(size=shape)), Dense(10)))
    planned = plan(found(huge_init=0.8, wrong_fan=0.6), recipe)
    assert [one.causes for one in planned] == [("huge-init", "wrong-fan")]


def test_nothing_is_run_where_nothing_was_found_or_can_be_changed():
    for diagnosis in (found(), found(labels_shuffled=0.9)):
        assert prove(diagnosis, RAW) is diagnosis


# The rule. Trials are (text, causes that it would cure, outcome).
SCALED, SLOWER = ("scaled", ("inputs-unscaled",)), ("LR / 10", ("lr-too-high",))


def test_the_best_cure_raises_and_the_half_cure_lowers():
    told = judged(found(inputs_unscaled=0.8, data_order=0.8),
                  proof(0.1, (*SCALED, outcome(0.9)), ("shuffled", ("data-order",), outcome(0.5))))  # fmt: skip
    assert sureness(told) == {"inputs-unscaled": pytest.approx(0.9), "data-order": pytest.approx(0.8 * 0.75)}
    assert told.order[0] == "inputs-unscaled"


def test_a_cure_that_does_not_cure_halves_its_suspect_and_another_comes_first():
    told = judged(found(inputs_unscaled=0.9, lr_too_high=0.7),
                  proof(0.1, (*SCALED, outcome(0.11)), (*SLOWER, outcome(0.8))))  # fmt: skip
    assert sureness(told) == {"inputs-unscaled": pytest.approx(0.45), "lr-too-high": pytest.approx(0.85)}
    assert told.order == ("lr-too-high", "inputs-unscaled")
    assert len(told.findings) == 2  # what was explained away stands for itself


def test_a_consequence_with_as_good_a_cure_stays_one():
    told = judged(found(inputs_unscaled=0.9, lr_too_high=0.7),
                  proof(0.1, (*SCALED, outcome(0.80)), (*SLOWER, outcome(0.81))))  # fmt: skip
    assert told.order[0] == "inputs-unscaled"
    assert sureness(told)["inputs-unscaled"] == pytest.approx(0.9, abs=0.01)  # within chance: not raised, not lowered


def test_a_tenth_of_the_run_says_a_tenth():
    told = judged(found(lr_too_low=0.8), proof(0.1, ("LR x 10", ("lr-too-low",), outcome(0.1)), steps=10))
    assert sureness(told)["lr-too-low"] == pytest.approx(0.8 * 0.95)


def test_what_was_cut_off_or_not_tried_says_nothing():
    before = found(inputs_unscaled=0.9, lr_too_high=0.7)
    told = judged(before, proof(0.1, (*SCALED, outcome(0.1, cut=True))))
    assert sureness(told) == sureness(before)


def test_a_guess_that_does_better_keeps_the_cause_from_being_raised():
    told = judged(found(inputs_unscaled=0.8), proof(0.1, (*SCALED, outcome(0.5)), ("LR / 10", (), outcome(0.9))))
    assert sureness(told)["inputs-unscaled"] == pytest.approx(0.6)
    assert "LR / 10: 90.00%" in told.first.found.evidence[-1].text


def test_a_network_that_breaks_counts_as_one_that_guesses():
    broken = outcome(None, loss=float("nan"))
    told = proof(0.1, (*SCALED, outcome(0.9)))
    assert replace(told, baseline=broken).gain(outcome(0.9)) == pytest.approx(0.8)
    assert told.gain(broken) == 0
    assert broken.reached == "nothing finite"


def test_without_classes_the_loss_is_what_counts():
    first, better = outcome(None, chance=None, loss=4.0), outcome(None, chance=None, loss=1.0)
    told = Proof(first, (Trial("scaled", ("inputs-unscaled",), better),), 100, 100, 1.0)
    assert told.gain(better) == 0.75
    assert told.clear(better, first)


# What may happen on the way.
def test_ctrl_c_keeps_what_is_known(monkeypatch):
    real, made = counterfactual.rerun, []

    def hears(*given, **named):
        made.append(given)
        if len(made) == 3:
            signal.raise_signal(signal.SIGINT)
        return real(*given, **named)

    monkeypatch.setattr(counterfactual, "rerun", hears)
    told = prove(found(inputs_unscaled=0.9), RAW, steps=20)
    assert told.proof.interrupted
    assert [trial.text for trial in told.proof.trials] == ["inputs / 255 at the same LR"]
    assert told.proof.missing == ("LR / 10", "LR / 100", "LR / 1000")
    assert told.proof.baseline.steps == 20


def test_ctrl_c_before_anything_is_known(monkeypatch):
    def hears(*given, ctrl_c, **named):
        signal.raise_signal(signal.SIGINT)
        ctrl_c.check()

    monkeypatch.setattr(counterfactual, "rerun", hears)
    with pytest.raises(KeyboardInterrupt):
        prove(found(inputs_unscaled=0.9), RAW)


def test_little_time_makes_a_short_stretch():
    told = prove(found(inputs_unscaled=0.9), replace(RAW, epochs=10_000), budget=1.0)
    assert 1 <= told.proof.steps < told.proof.whole == 750_000
    assert told.proof.seconds < 10


def test_a_trial_that_is_cut_off_says_so(monkeypatch):
    told = prove(found(inputs_unscaled=0.9), RAW, steps=10**9, budget=0.2)
    assert told.proof.baseline.cut
    assert "out of time after" in told.proof.baseline.ended
    assert sureness(told) == {"inputs-unscaled": 0.9}
    assert told.proof.missing


def test_zero_batches_are_tried_too():
    recipe = replace(RAW, batch_size=1000, drop_last=True, scale=1 / 255)
    told = prove(found(zero_batches=1.0), recipe)
    assert told.proof.baseline.steps == 0
    assert told.proof.baseline.ended == "cannot be trained: an epoch would have no batch"
    assert [trial.outcome.steps for trial in told.proof.trials] == [3]


def test_a_change_that_cannot_be_built_is_said():
    recipe = replace(RAW, layers=(Flatten(), Dense(8), Dense(10)), ties={"2.b": "2.b2"})
    told = prove(found(missing_nonlinearity=0.8), replace(recipe, ties={}, frozen=("2",)), steps=5)
    assert "cannot be built" in told.proof.trials[0].outcome.ended
    assert sureness(told) == {"missing-nonlinearity": 0.8}


def test_loss_that_is_not_finite_ends_a_trial_early():
    told = prove(found(lr_too_low=0.8), replace(RAW, optimizer=SGD(1e20), scale=1 / 255), steps=50)
    assert "no longer finite at step" in told.proof.trials[0].outcome.ended
    assert told.proof.trials[0].outcome.steps < 50
    json.dumps(told.as_dict(), allow_nan=False)


@pytest.mark.parametrize(
    "given", [{"recipe": 3}, {"recipe": lambda: None}, {"budget": 0}, {"budget": np.nan}, {"steps": 0}]
)
def test_what_makes_no_sense_is_refused(given):
    with pytest.raises(ConfigError, match=r"made again from a Recipe|trials need time"):
        prove(found(inputs_unscaled=0.9), **{"recipe": RAW} | given)
