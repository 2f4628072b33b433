"""Wrong gradients are explained by the kind of mistake that made them, and what has no simple cause gets no story."""

from functools import partial

import numpy as np
import pytest

from scratchnet.check import Verdict, check_gradients
from scratchnet.check.evidence import Evidence
from scratchnet.check.explain import explain

from .mistakes import FUNCTIONS, MISTAKES

RUNGS = ("complex step", "finite differences")


def explained(function, wrong, argument, seed=0, rungs=RUNGS):
    """The explanations of one argument's gradient."""
    forward, backward, draw = FUNCTIONS[function]
    inputs = draw(np.random.default_rng(seed))
    report = check_gradients(
        forward, partial(backward, wrong=wrong) if isinstance(wrong, str) else wrong, inputs, seed=seed, rungs=rungs
    )
    finding = next(finding for finding in report.findings if finding.argument == argument)
    assert finding.verdict is Verdict.FAIL, report
    return finding.explanations


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_functions_are_right(function):
    forward, backward, draw = FUNCTIONS[function]
    report = check_gradients(forward, partial(backward, wrong=""), draw(np.random.default_rng(1)), rungs=RUNGS)
    assert all(finding.verdict is Verdict.PASS for finding in report.findings), report


@pytest.mark.parametrize(("function", "wrong", "argument", "kinds"), MISTAKES)
@pytest.mark.parametrize("seed", range(3))
def test_the_first_explanation_names_the_mistake(function, wrong, argument, kinds, seed):
    found = explained(function, wrong, argument, seed)
    assert found[0].kind in (kinds if isinstance(kinds, tuple) else (kinds,)), [str(each) for each in found]
    assert all(0 < each.sure < 1 and each.look for each in found)


def test_there_are_as_many_as_claimed():
    assert len(MISTAKES) >= 50
    assert len({function for function, *_ in MISTAKES}) >= 20


@pytest.mark.parametrize(
    ("function", "wrong", "argument", "says"),
    [
        ("dense", "dw averaged", "b", "1/5, the extent of axis 0 of out"),
        ("dropout", "not scaled", "a", "0.7 (keep, which is 0.7,"),
        ("attention", "root forgotten", "a", "√3"),
        ("conv2d", "dw averaged over pixels", "b", "5·6"),
        ("batch norm", "gamma forgotten", "a", "gamma"),
        ("batch norm", "deviation forgotten", "a", "standard deviation of a over axis 0"),
        ("relu", "of dout", "a", "dout > 0"),
        ("take", "averaged", "a", "the number of times that ids"),
        ("dense", "dw decayed", "b", "0.1 times b is added"),
        ("product", "b forgotten", "a", "divided by b"),
        ("conv1d", "last window left out", "a", "the last of 6 slices of dout along axis 1 is left out"),
    ],
)
def test_the_text_names_the_cause(function, wrong, argument, says):
    first = explained(function, wrong, argument)[0]
    assert any(part in first.text for part in says.split("|")), first


@pytest.mark.parametrize("rungs", [("finite differences",), ("high precision", "finite differences")])
@pytest.mark.parametrize("index", range(0, len(MISTAKES), 9))
def test_any_rung_gives_the_same_kind(index, rungs):
    function, wrong, argument, kinds = MISTAKES[index]
    assert explained(function, wrong, argument, 0, rungs)[0].kind in kinds


def noisy(function, amount, proportional):
    """The right backward with noise, the same in every call, on each gradient."""
    _, backward, _ = FUNCTIONS[function]

    def wrong(dout, cache):
        rng = np.random.default_rng(5)
        gradients = backward(dout, cache, "")
        return tuple(g + amount * rng.normal(size=g.shape) * (g if proportional else 1) for g in gradients)

    return wrong


@pytest.mark.parametrize("proportional", [False, True])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_noise_gets_no_confident_story(function, proportional):
    found = explained(function, noisy(function, 0.1, proportional), "a")
    assert all(each.sure <= 0.8 for each in found), [str(each) for each in found]


def both(function, one, other):
    """The first mistake on some rows of the gradient and another change on the whole of it."""
    _, backward, _ = FUNCTIONS[function]
    return lambda dout, cache: tuple(other(np.asarray(g)) for g in backward(dout, cache, one))


def halved_edge(g):
    g = g.copy()
    g[..., -1] *= 0.5
    return g


@pytest.mark.parametrize(
    ("function", "one", "other", "argument"),
    [
        ("dense", "dw transposed", halved_edge, "b"),
        ("dense", "w not transposed", halved_edge, "a"),
        ("batch norm", "statistics constant", lambda g: g[::-1].copy(), "a"),
        ("conv2d", "kernel not flipped", lambda g: g * (1 + np.arange(g.shape[-1])), "a"),
        ("attention", "root forgotten", lambda g: np.roll(g * [1, 2, 3], 1, 0), "a"),
        ("rnn", "carry forgotten", halved_edge, "a"),
        ("max pool", "to all of the window", halved_edge, "a"),
        ("softmax", "sum dropped", lambda g: g + 0.01, "a"),
    ],
)
@pytest.mark.parametrize("seed", range(2))
def test_two_mistakes_at_once_are_not_told_as_one(function, one, other, argument, seed):
    """Rearranged and scaled at once: neither alone explains it."""
    found = explained(function, both(function, one, other), argument, seed)
    assert all(each.sure <= 0.8 for each in found), [str(each) for each in found]


def test_a_sample_of_a_large_gradient_is_enough():
    forward, backward, _ = FUNCTIONS["image norm"]
    rng = np.random.default_rng(0)
    inputs = {"a": rng.normal(size=(6, 3, 5, 6)), "gamma": rng.uniform(0.5, 2, (3, 1, 1)), "axes": (0, 2, 3)}
    report = check_gradients(forward, partial(backward, wrong="statistics constant"), inputs, rungs=RUNGS)
    assert np.isnan(report.findings[0].numeric).any()
    assert report.findings[0].explanations[0].kind == "statistics constant"


def test_overlaps_in_a_large_gradient():
    forward, backward, _ = FUNCTIONS["conv1d"]
    rng = np.random.default_rng(0)
    inputs = {"a": rng.normal(size=(40, 14)), "b": rng.normal(size=3)}
    first = check_gradients(forward, partial(backward, wrong="overlaps overwritten"), inputs, rungs=RUNGS).findings[0]
    assert first.explanations[0].kind == "window"
    assert "only the last" in first.explanations[0].text


def test_entries_exchanged_in_a_large_gradient():
    def swapped(dout, x):
        return (2 * x * dout).reshape(-1, 2)[:, ::-1].reshape(x.shape).copy()

    x = np.random.default_rng(0).normal(size=1000)
    found = check_gradients(lambda x: (x**2, x), swapped, {"x": x}, rungs=RUNGS).findings[0].explanations
    assert found[0].kind == "rows mixed"


def test_a_block_of_rows_with_a_factor():
    def joint(x, w):
        return np.tanh(x @ w.T), (x, w, np.tanh(x @ w.T))

    def backward(dout, cache):
        x, w, y = cache
        d = dout * (1 - y * y)
        dw = d.T @ x
        dw[:3] *= 2**0.5
        return d @ w, dw

    rng = np.random.default_rng(0)
    report = check_gradients(joint, backward, {"x": rng.normal(size=(5, 4)), "w": rng.normal(size=(9, 4))}, rungs=RUNGS)
    first = report.findings[1].explanations[0]
    assert first.kind == "constant factor"
    assert "√2" in first.text


def test_a_factor_has_no_name_that_does_not_fit():
    found = explained("dense", lambda d, c: (1.2345 * d @ c[1].T, c[0].T @ d, d.sum(0)), "a")
    assert found[0].kind == "constant factor"
    assert "(" not in found[0].text


def test_one_number_is_less_evidence_than_many():
    def forward(x, s):
        return x * s, (x, s)

    def backward(dout, cache):
        x, s = cache
        return 1.37 * s * dout, 1.37 * np.asarray((x * dout).sum())

    report = check_gradients(forward, backward, {"x": np.arange(1.0, 6), "s": np.array(2.0)}, rungs=RUNGS)
    many, one = (finding.explanations[0] for finding in report.findings)
    assert many.kind == one.kind == "constant factor"
    assert one.sure < many.sure


def test_a_random_backward_is_told_as_state():
    rng = np.random.default_rng(0)
    found = explained("tanh", lambda d, c: (d * (1 - c[1] ** 2) * (rng.random(d.shape) < 0.5),), "a")
    assert [each.kind for each in found] == ["state left over"]


def test_a_gradient_that_is_not_finite():
    found = explained("tanh", lambda d, c: (np.full_like(d, np.nan),), "a")
    assert found[0].kind == "not finite"


def test_a_backward_that_raises_for_another_dout_is_explained_from_what_there_is():
    truth = np.arange(1.0, 7).reshape(2, 3)
    columns = {(i, j): truth[i, j] * np.eye(1, 6, 3 * i + j)[0].reshape(2, 3) for i in range(2) for j in range(3)}

    def respond(dout):
        raise ValueError("not this one")

    evidence = Evidence(-truth, truth, 1e-12, np.ones((2, 3)), np.ones((2, 3)), columns, respond=respond)
    assert explain(evidence)[0].kind == "sign"


def test_without_columns_the_numbers_alone_must_do():
    truth = np.arange(1.0, 10).reshape(3, 3)
    assert explain(Evidence(truth.T, truth, 1e-12, np.ones(3), np.ones(3)))[0].kind == "transpose"
    assert explain(Evidence(truth, truth, 1e-12, np.ones(3), np.ones(3))) == []
    assert explain(Evidence(truth, np.full((3, 3), np.nan), 1e-12, np.ones(3), np.ones(3))) == []


def any_evidence(seed):
    """A random Jacobian, a backward that differs from it in one of six ways, arrays of odd shapes beside."""
    rng = np.random.default_rng(seed)
    shape, out_shape = (tuple(int(n) for n in rng.integers(1, 5, rng.integers(0, 5))) for _ in range(2))
    size, outputs = int(np.prod(shape)), int(np.prod(out_shape))
    j = rng.normal(size=(size, outputs)) * (rng.random((size, outputs)) < rng.choice([0.2, 1]))
    noisy, mixed = j + 0.1 * rng.normal(size=j.shape), rng.permutation(j.ravel()).reshape(j.shape)
    b = [noisy, -j, 0 * j, mixed, j * (rng.random(j.shape) < 0.7), j * np.nan][seed % 6]
    dout = rng.normal(size=outputs)
    numeric = (j @ dout).reshape(shape)
    columns = {index: j[k].reshape(out_shape) for k, index in enumerate(np.ndindex(*shape))}
    if seed % 7 == 0 and size > 2:
        numeric.reshape(-1)[::2] = np.nan
        columns = {index: column for index, column in columns.items() if np.isfinite(numeric[index])}

    def respond(d):
        broken = np.nan if seed % 5 == 0 and d.reshape(-1)[0] < 0 else 1.0
        return (b @ d.reshape(-1)).reshape(shape) * broken

    beside = {"x": rng.normal(size=shape), "t": rng.integers(0, 3, shape[:-1]), "m": rng.random(shape) < 0.5}
    analytic, dout, out = (b @ dout).reshape(shape), dout.reshape(out_shape), rng.normal(size=out_shape)
    return Evidence(analytic, numeric, 1e-12, dout, out, columns, beside, {"p": 0.3}, respond, "x")


@pytest.mark.parametrize("seed", range(120))
def test_no_evidence_is_too_odd(seed):
    evidence = any_evidence(seed)
    found = explain(evidence)
    assert all(0 <= each.sure < 1 for each in found)
    if seed % 6 == 0 and evidence.analytic.size > 4 and evidence.dout.size > 1:  # noise on every slope
        assert all(each.sure <= 0.8 for each in found), [str(each) for each in found]
