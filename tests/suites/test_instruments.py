"""The instruments of the checks by themselves: what compare, identical and the probes must not let through."""

import numpy as np
import pytest

from scratchnet.check import CheckError, check_contract
from scratchnet.check.errors import compare, identical
from scratchnet.check.gradient import check_complex_step, check_finite_differences
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


@pytest.mark.parametrize(("check", "dtype"), [(check_complex_step, "c16"), (check_finite_differences, "f8")])
@pytest.mark.parametrize("at", [0, 700, 1999])
def test_one_wrong_entry_of_many_is_found_at_once(check, dtype, at):
    rng = np.random.default_rng(at)
    weights, x = rng.normal(size=2000), rng.normal(size=2000).astype(dtype)
    gradient = weights.astype(dtype)
    arguments, dy = {"x": x}, np.ones(1, dtype)
    check(lambda: (weights * x).sum(keepdims=True), arguments, {"x": gradient}, dy, rng)
    gradient[at] += 0.1
    with pytest.raises(CheckError):
        check(lambda: (weights * x).sum(keepdims=True), arguments, {"x": gradient}, dy, rng)


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
