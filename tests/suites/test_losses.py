"""Every loss of the registry against every check, under drawn cases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratchnet.losses  # noqa: F401  (fills the registry)
from scratchnet.check import Verdict, check_loss
from scratchnet.core import LOSSES

from .drawing import HypothesisDraw, seeds


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_loss(name):
    verdicts = set()

    @given(st.data(), seeds)
    def check(data, seed):
        report = check_loss(LOSSES[name].cases(HypothesisDraw(data)), seed)
        verdicts.add(report.verdict)
        assert report.verdict is not Verdict.FAIL, report

    check()
    assert Verdict.PASS in verdicts, f"{name}: nothing was exercised"
