"""The instruments of the checks by themselves: what compare, identical and the probes must not let through."""

import numpy as np
import pytest

from scratchnet.check import CheckError, Verdict, check_contract
from scratchnet.check.errors import compare, identical
from scratchnet.check.ladder import LADDER, climb
from scratchnet.check.numbers import convert
from scratchnet.core import Case
from scratchnet.layers import ReLU

nan, inf = np.nan, np.inf
SAME = [([1.0, nan], [1.0, nan]), ([inf, 1.0], [inf, 1.0]), ([], []), ([1e-3], [1e-3 + 5e-14])]
OTHER = [
    ([1.0, nan], [1.0, 2.0]),
    ([1.0, 2.0], [1.0, nan]),
    ([inf], [-inf]),
    ([inf], [nan]),
    ([inf], [1e300]),
    ([1.0], [inf]),
    ([1e-3], [1e-3 + 1e-12]),
    ([1.0], [1.0 + 1e-10]),
    ([1.0], [[1.0]]),
]


@pytest.mark.parametrize(("actual", "expected"), SAME)
def test_compare_passes(actual, expected):
    compare("it", "x", np.array(actual), np.array(expected), 1e-11)


@pytest.mark.parametrize(("actual", "expected"), OTHER)
def test_compare_refuses(actual, expected):
    with pytest.raises(CheckError):
        compare("it", "x", np.array(actual), np.array(expected), 1e-11)
    with pytest.raises(CheckError):
        identical("it", "x", np.array(actual), np.array(expected))


class Linear:
    """Σ weights·x, and a gradient that may be wrong in one entry."""

    trusted = True

    def __init__(self, weights, x, claimed):
        self.weights, self.x, self.claimed = weights, x, claimed

    def arguments(self):
        return {"x": self.x}

    def output(self):
        return (self.weights * self.x).sum(keepdims=True)

    def gradients(self, dout):
        return {"x": self.claimed * dout}

    def on(self, numbers):
        return Linear(*(convert(a, numbers) for a in (self.weights, self.x, self.claimed)))

    def beside(self):
        return {}

    facts = beside


@pytest.mark.parametrize("rung", LADDER)
@pytest.mark.parametrize("at", [0, 700, 1999])
def test_one_wrong_entry_of_many_is_found_at_once(rung, at):
    rng = np.random.default_rng(at)
    weights, x = rng.normal(size=1999 if at < 1999 else 2000), rng.normal(size=1999 if at < 1999 else 2000)
    (finding,) = climb(Linear(weights, x, weights), rungs=[rung], seed=at)
    assert finding.verdict is Verdict.PASS
    claimed = weights.copy()
    claimed[at] += 0.1
    (finding,) = climb(Linear(weights, x, claimed), rungs=[rung], seed=at)
    assert finding.verdict is Verdict.FAIL


def test_a_rung_that_runs_says_what_it_could_have_seen():
    """And an error just above that is seen, one far below it is not."""
    weights, x = np.random.default_rng(0).normal(size=(2, 30))
    for rung, least in {"complex step": 1e-10, "adjoint": 1e-10, "finite differences": 1e-4}.items():
        (finding,) = climb(Linear(weights, x, weights), rungs=[rung])
        assert 0 < finding.detectable < least
        for factor, verdict in ((20, Verdict.FAIL), (1e-3, Verdict.PASS)):
            claimed = weights * (1 + factor * finding.detectable)
            assert climb(Linear(weights, x, claimed), rungs=[rung])[0].verdict is verdict


class WrongIn(ReLU):
    """dy is overwritten in one mode alone."""

    def backward(self, k, p, g, saved, dy, run):
        dx = super().backward(k, p, g, saved, dy, run)
        if run.training == MODE[0]:
            dy *= 0.5
        return dx


MODE = [True]


@pytest.mark.parametrize("training", [True, False])
def test_the_contract_is_checked_in_the_mode_that_is_asked_for(training):
    MODE[0] = training
    check_contract(Case(WrongIn(), (3,)), 0, training=not training)
    with pytest.raises(CheckError, match=f"training={training}"):
        check_contract(Case(WrongIn(), (3,)), 0, training=training)
