"""A diagnosis as a string: what print shows."""

from scratchnet.diagnose import diagnose
from scratchnet.train.history.history import History
from scratchnet.train.history.records import SplitFacts


def test_a_diagnosis_prints_as_its_report_and_a_finding_in_a_line():
    facts = SplitFacts(split="train", samples=100, minimum=0.0, maximum=255.0, mean=33.0, std=78.0, norm=2350.0)
    told = diagnose(History.of([facts]))
    text = str(told)
    assert text.splitlines()[2].startswith("1. The inputs are not scaled  (inputs-unscaled, ")
    assert "norm is 2,350" in text
    assert not any(line != line.rstrip() for line in text.splitlines())
    assert "\n" not in str(told.first)
    assert str(told.first).startswith("The inputs are not scaled (inputs-unscaled, ")


def test_one_without_findings_says_so():
    assert "Nothing could be checked" in str(diagnose(History()))
