"""Every check by itself must catch the broken layers that are named for it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from scratchnet.check import (
    CheckError,
    Verdict,
    check_layer_gradients,
    check_loss,
    check_objects,
    check_parity,
    contract,
)
from scratchnet.check.ladder import LADDER
from scratchnet.check.subject import NotRun
from scratchnet.check.subjects.layer import LayerSubject
from scratchnet.core import Case, Sequential
from scratchnet.core.plan import RecordError
from scratchnet.layers import LeakyReLU, Square

from . import broken_promises  # noqa: F401  (enters its layers)
from .broken_alone import CAUGHT
from .broken_losses import LOSSES
from .drawing import HypothesisDraw, batches, seeds


def by_rung(rung):
    """The gradient by one rung of the ladder alone; where it does not run nothing was said."""

    def check(case, seed, **how):
        check_layer_gradients(case, seed, rungs=[rung], **how)

    return check


def objects(kind):
    def check(case, seed, **how):
        try:
            check_objects(case, seed, kind, **how)
        except NotRun:
            assume(False)

    return check


OTHERS = {rung: by_rung(rung) for rung in LADDER} | {
    "check_repr": lambda case, *_, **how: contract.check_repr(case),
    "check_parity": check_parity,
    "digits": objects("digits"),
    "fractions": objects("fractions"),
}
CONTRACT = {check.__name__: check for check in contract.CHECKS}


class _Negated(Square):
    """y = -x."""

    def forward(self, k, p, x, run):
        return -x, None

    def backward(self, k, p, g, saved, dy, run):
        return -dy if run.need_dx else None


def run(check, cls):
    """One check on drawn cases."""

    @settings(max_examples=200, phases=[Phase.explicit, Phase.generate], report_multiple_bugs=False)
    @given(st.data(), seeds, batches, st.booleans())
    def drawn(data, seed, batch, training):
        case = cls.cases(HypothesisDraw(data))
        if check in OTHERS:
            OTHERS[check](case, seed, batch=batch, training=training)
        else:
            subject = LayerSubject(case, seed, batch=batch)
            subject.training = training
            CONTRACT[check](subject, np.random.default_rng(seed))

    drawn()


@pytest.mark.parametrize(("check", "cls"), CAUGHT)
def test_the_check_catches(check, cls):
    with pytest.raises((CheckError, RecordError)):
        run(check, cls)


@pytest.mark.parametrize("rung", [rung for rung in LADDER if rung != "adjoint"])  # whose steps cross the kink
@pytest.mark.parametrize(("slope", "seen"), [(0.0, False), (2.0**-70, False), (2.0**-10, True)])
def test_what_a_zero_gradient_would_pass_counts_as_not_seen(rung, slope, seen):
    """Lest a layer go for checked whose gradients are smaller than what the check lets through."""

    def verdict(case):
        (finding,) = check_layer_gradients(case, 0, rungs=[rung])
        return finding.verdict

    case = Case(LeakyReLU(slope), (3,), values="positive")
    flipped = replace(case, layer=Sequential(_Negated(), LeakyReLU(slope)))
    seen = seen or (slope > 0 and rung != "complex step")  # which alone has a floor that is not relative
    assert verdict(case) is Verdict.PASS
    assert verdict(flipped) is (Verdict.PASS if seen else Verdict.VACUOUS)


def test_no_check_is_without_a_broken_layer():
    assert {check for check, _ in CAUGHT} == OTHERS.keys() | CONTRACT.keys()


@pytest.mark.parametrize("cls", LOSSES)
def test_the_check_of_losses_catches(cls):
    @settings(max_examples=200, phases=[Phase.explicit, Phase.generate], report_multiple_bugs=False)
    @given(st.data(), seeds)
    def drawn(data, seed):
        report = check_loss(cls.cases(HypothesisDraw(data)), seed)
        assert report.verdict is not Verdict.FAIL, report

    with pytest.raises(AssertionError):
        drawn()
