"""Cause before consequence, and evidence that is not explained away."""

import json
from io import StringIO

import pytest

from scratchnet.diagnose import diagnose
from scratchnet.diagnose.ranking import rank
from scratchnet.diagnose.report import show
from scratchnet.train.history.history import History

from .cases_data import raw_pixels, zeros_in_a_file
from .runs import run


def chain(id):
    """a brings about b and c, b brings about c; d brings about e alone, which brings about f."""
    return {"a": "bc", "b": "c", "d": "e", "e": "f"}.get(id, "")


def test_a_consequence_stands_behind_its_cause():
    order, parents = rank({"c": 0.9, "b": 0.8, "a": 0.7, "x": 0.3}, chain)
    assert order == ("a", "b", "c", "x")
    assert parents == {"a": None, "b": "a", "c": "b", "x": None}


def test_an_independent_suspect_stands_before_weaker_consequences():
    order, _ = rank({"a": 0.9, "b": 0.6, "x": 0.5}, chain)
    assert order == ("a", "x", "b")


def test_a_suspicion_does_not_explain_certainty_away():
    order, parents = rank({"a": 0.3, "c": 0.95}, chain)
    assert order == ("c", "a")
    assert parents == {"a": None, "c": None}


def test_nearest_credible_cause_holds_it():
    order, parents = rank({"a": 0.9, "b": 0.2, "c": 0.9}, chain)
    assert parents["c"] == "a"
    assert parents["b"] == "a"
    assert order == ("a", "c", "b")


def test_a_chain_holds_where_its_links_were_found():
    assert rank({"d": 0.6, "e": 0.6, "f": 0.9}, chain) == (("d", "e", "f"), {"d": None, "e": "d", "f": "e"})
    assert rank({"d": 0.6, "f": 0.9}, chain) == (("f", "d"), {"d": None, "f": None})


def test_every_finding_is_listed_once():
    diagnosis = diagnose(raw_pixels())
    assert sorted(f.cause.id for f in diagnosis) == sorted(diagnosis.order)
    assert [f.cause.id for f in diagnosis] == list(diagnosis.order)
    assert {f.cause.id for f in diagnosis.first.consequences} | {"inputs-unscaled"} <= set(diagnosis.order)
    assert "dead-relu" in diagnosis.order


def test_no_evidence_is_told_twice():
    """The batch and the data have the same range."""
    told = [e.text for e in diagnose(raw_pixels()).first.found.evidence]
    assert len(set(told)) == len(told)


def text(history, width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    out = StringIO()
    show(diagnose(history), out)
    return out.getvalue()


@pytest.mark.parametrize("width", [40, 80, 160])
def test_report(width, monkeypatch):
    lines = text(raw_pixels(), width, monkeypatch).splitlines()
    assert max(map(len, lines)) <= width
    flat = " ".join(" ".join(lines).split())
    assert "1. The inputs are not scaled" in flat
    assert "the inputs lie between 0 and 255" in flat
    assert "It brought about" in flat
    assert "docs/doctor.md#inputs-unscaled" in flat
    assert flat.index("The inputs are not scaled") < flat.index("Units are dead")
    assert "Could not be checked" in flat
    assert "\x1b" not in flat


def test_report_of_a_healthy_run(monkeypatch):
    assert "Nothing was found: 35 of 37 causes could be looked for" in text(run(), 80, monkeypatch)
    assert "Nothing could be checked" in text(History(), 80, monkeypatch)


def test_as_json():
    told = diagnose(zeros_in_a_file()).as_dict()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["order"][0] == "zero-batches"
    assert "9.5393" in json.dumps(told["findings"][0])
    assert {one["id"] for one in told["unknown"]} >= {"not-zeroed", "dead-relu"}
