"""Every check by itself must catch the broken layers that are named for it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from scratchnet.check import CheckError, check_layer_gradients, check_loss, check_objects, check_parity, contract
from scratchnet.check.layers import METHODS
from scratchnet.check.subject import Subject
from scratchnet.core import Case, Sequential
from scratchnet.core.plan import RecordError
from scratchnet.layers import LeakyReLU, Square

from . import broken_promises  # noqa: F401  (enters its layers)
from .broken_alone import CAUGHT
from .broken_losses import LOSSES
from .drawing import HypothesisDraw, batches, seeds

OTHERS = {
    "complex step": lambda *case, **how: check_layer_gradients(*case, methods=["complex step"], **how),
    "finite differences": lambda *case, **how: check_layer_gradients(*case, methods=["finite differences"], **how),
    "check_repr": lambda case, *_, **how: contract.check_repr(case),
    "check_parity": check_parity,
    "digits": lambda case, seed, **how: check_objects(case, seed, "digits", **how),
    "fractions": lambda case, seed, **how: check_objects(case, seed, "fractions", **how),
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
            subject = Subject(case, seed, batch=batch)
            subject.training = training
            CONTRACT[check](subject, np.random.default_rng(seed))

    drawn()


@pytest.mark.parametrize(("check", "cls"), CAUGHT)
def test_the_check_catches(check, cls):
    with pytest.raises((CheckError, RecordError)):
        run(check, cls)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("slope", "seen"), [(0.0, False), (1e-16, False), (1e-3, True)])
def test_what_a_zero_gradient_would_pass_counts_as_not_seen(method, slope, seen):
    """Lest a layer go for checked whose gradients are smaller than what the check lets through."""
    case = Case(LeakyReLU(slope), (3,), values="positive")
    flipped = replace(case, layer=Sequential(_Negated(), LeakyReLU(slope)))
    assert check_layer_gradients(case, 0, methods=[method])["x"] > 0.1
    assert (check_layer_gradients(flipped, 0, methods=[method])["x"] > 0) == seen


def test_no_check_is_without_a_broken_layer():
    assert {check for check, _ in CAUGHT} == OTHERS.keys() | CONTRACT.keys()


@pytest.mark.parametrize("cls", LOSSES)
def test_the_check_of_losses_catches(cls):
    @settings(max_examples=200, phases=[Phase.explicit, Phase.generate], report_multiple_bugs=False)
    @given(st.data(), seeds)
    def drawn(data, seed):
        check_loss(cls.cases(HypothesisDraw(data)), seed)

    with pytest.raises(CheckError):
        drawn()
