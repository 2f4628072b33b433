"""The check of plain functions: right ones pass, mistakes are caught and named, nothing passes for nothing."""

import numpy as np
import pytest

from scratchnet.check import Verdict, check_gradients

from .pairs import AFFINE, MUTANTS, RIGHT, affine_backward, affine_forward, relu_forward


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("seed", range(3))
def test_right_ones_pass(name, seed):
    report = check_gradients(*RIGHT[name], seed=seed)
    assert report, report
    for finding in report.findings:
        assert finding.detectable < 1e-4


@pytest.mark.parametrize("name", MUTANTS)
@pytest.mark.parametrize("seed", range(3))
def test_mistakes_are_caught_and_named(name, seed):
    forward, backward, inputs, argument, kind = MUTANTS[name]
    report = check_gradients(forward, backward, inputs, seed=seed)
    assert report.verdict is Verdict.FAIL
    findings = {finding.argument: finding for finding in report.findings}
    assert findings[argument].verdict is Verdict.FAIL, report
    others = [finding for other, finding in findings.items() if other != argument]
    assert all(finding.verdict is not Verdict.FAIL for finding in others) or name == "variance constant"
    assert findings[argument].explanations[0].kind == kind, report


@pytest.mark.parametrize(
    ("backward", "says"),
    [
        (lambda d, x: (x > 0) * 1.0, "does not depend on dout"),
        (lambda d, x: (x > 0) * d * d, "quadratic in dout"),
        (lambda d, x: (x > 0) * np.clip(d, -1, 1), "not linear in dout"),
        (
            lambda d, x: (x > 0) * d.base.ravel()[: d.size].reshape(d.shape) if d.base is not None else (x > 0) * d,
            "strided",
        ),
    ],
)
def test_broken_promises_are_named(backward, says):
    report = check_gradients(relu_forward, backward, [np.random.default_rng(0).normal(size=(5, 6)) * 2])
    assert report.verdict is Verdict.FAIL
    assert any(says in str(fault) for fault in report.faults), report


def test_a_cache_that_is_used_up_and_a_state_that_is_left_over_are_told():
    def eats(dout, cache):
        cache *= 0.5
        return 2 * dout * cache

    x = np.arange(1.0, 5.0)
    report = check_gradients(lambda x: (x**2, 2 * x), eats, [x])
    assert any("second backward" in str(fault) for fault in report.faults), report
    calls = []

    def remembers(dout, cache):
        calls.append(1)
        return 2 * dout * cache * len(calls)

    report = check_gradients(lambda x: (x**2, x), remembers, [x])
    assert any("left over" in str(fault) for fault in report.faults), report


@pytest.mark.parametrize(
    ("forward", "backward", "says"),
    [
        (lambda x: (x[x >= 1], x), lambda d, x: np.ones_like(x), "shape of out changes"),
        (lambda x: (x + np.random.default_rng().random(), x), lambda d, x: d, "random"),
        (lambda x: 1 / 0, lambda d, x: d, "forward raises ZeroDivisionError at test_functions.py:"),
        (lambda x: x, lambda d, x: d, r"expected a pair"),
        (lambda x: (1.0, x), lambda d, x: d, "out is float"),
        (lambda x: (x.astype(np.float32), x), lambda d, x: d, "out is float32"),
        (lambda x: (x * np.nan, x), lambda d, x: d, "NaN"),
        (lambda x: (np.multiply(x, 2, out=x), x), lambda d, x: d, "changes its input x0"),
        (lambda x: (x, x), lambda d, x: None, "no array for dx0, but NoneType"),
        (lambda x: (x, x), lambda d, x: (d, d), "returns 2 gradients"),
        (lambda x: (x, x), lambda d, x: d[0], "dx0 has shape"),
        (lambda x: (x, x), lambda d, x: d.astype(np.float32), "dx0 is float32"),
        (lambda x: (x, x), lambda d, x: d[9], "backward raises IndexError at test_functions.py:"),
        (lambda x: (x, x), lambda d, x: np.multiply(d, 1.5, out=d), "changes dout"),
    ],
)
def test_faults_of_the_protocol_are_reported_and_not_raised(forward, backward, says):
    report = check_gradients(forward, backward, [np.ones((2, 3))])
    assert report.verdict is Verdict.FAIL
    assert says in str(report)


def by_memory(x):
    """x, read as it lies in memory."""
    return np.asarray(x.ravel(order="K").reshape(x.shape))


def test_inputs_may_lie_anywhere():
    x = np.random.default_rng(0).normal(size=(4, 5))
    assert check_gradients(lambda x: (x**2, x), lambda d, x: 2 * x * d, [x])
    report = check_gradients(lambda x: (x**2, x), lambda d, x: 2 * by_memory(x) * d, [x])
    assert any("inputs of the same values" in str(fault) for fault in report.faults), report


def test_no_input_of_floats():
    assert "no input of floats" in str(check_gradients(relu_forward, lambda d, x: d, [np.array([1, 2])]))


@pytest.mark.parametrize("x", [-np.ones((3, 4)), np.zeros((0, 4))])
def test_what_exercises_nothing_is_vacuous(x):
    report = check_gradients(relu_forward, lambda d, x: d * (x > 0), [x])
    assert report.verdict is Verdict.VACUOUS
    assert not report
    assert "nothing was checked" in str(report)


def test_the_report_shows_where_and_how_much():
    backward = MUTANTS["last column"][1]
    text = str(check_gradients(affine_forward, backward, AFFINE, name="my layer"))
    assert text.startswith("FAIL  my layer")
    assert "....#" in text
    assert "the last of 5 slices of dout along axis 1" in text
    assert "PASS    dx" in text


def test_constants_have_no_gradient():
    def backward(dout, cache):
        return affine_backward(dout, cache)[:2]

    assert check_gradients(affine_forward, backward, AFFINE, constants=["b"])
