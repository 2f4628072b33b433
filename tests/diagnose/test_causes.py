"""Every cause is found where it is, and not where it is nearly."""

import pytest

from scratchnet.diagnose import diagnose, registry
from scratchnet.diagnose.diagnosis import SENSELESS

from . import cases_course, cases_data, cases_margins_course, cases_margins_splits, cases_margins_start, cases_start  # noqa: F401  they enter their cases
from .cases import NOT_THERE, THERE
from .runs import run


def named(case):
    return f"{case.id}-{case.make.__name__}"


@pytest.mark.parametrize("case", THERE, ids=named)
def test_is_found(case):
    diagnosis = diagnose(case.make())
    assert case.id in diagnosis.order
    assert not any(SENSELESS in why for _, why in diagnosis.unknown)
    if case.first:
        assert diagnosis.first.cause.id == diagnosis.order[0] == case.id, diagnosis.order
    finding = next(one for one in diagnosis if one.cause.id == case.id)
    assert 0 < finding.found.sure <= 1
    assert finding.found.evidence
    assert all(any(sign.isdigit() for sign in e.text) or e.where for e in finding.found.evidence)


@pytest.mark.parametrize("case", NOT_THERE, ids=named)
def test_near_miss(case):
    diagnosis = diagnose(case.make())
    assert case.id not in diagnosis.order
    assert not any(SENSELESS in why for _, why in diagnosis.unknown)
    if case.healthy:
        assert diagnosis.order == ()


def test_every_cause_has_both():
    for cases in (THERE, NOT_THERE):
        assert {case.id for case in cases} == set(registry())


def test_healthy_run_is_healthy():
    for seed in range(20):
        diagnosis = diagnose(run(seed=seed))
        assert diagnosis.order == ()
        assert len(diagnosis.fine) + len(diagnosis.unknown) == len(registry())
