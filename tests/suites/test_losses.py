"""Every loss of the registry against every check, under drawn cases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratchnet.losses  # noqa: F401  (fills the registry)
from scratchnet.check import VacuousError, check_loss
from scratchnet.core import LOSSES

from .drawing import HypothesisDraw, seeds


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_loss(name):
    seen = [0.0]

    @given(st.data(), seeds)
    def check(data, seed):
        seen.append(check_loss(LOSSES[name].cases(HypothesisDraw(data)), seed))

    check()
    if max(seen) == 0.0:
        raise VacuousError(f"{name}: nothing was exercised")
