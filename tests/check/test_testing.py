"""The suites of scratchnet.check.testing, as they run in a user's own test file."""

import re

import numpy as np
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st

from scratchnet.check import contract, strategies
from scratchnet.check.testing import CHECK_NAMES, full_suite, pair_suite
from scratchnet.core import LAYERS, Case
from scratchnet.core.errors import ConfigError
from scratchnet.layers import Dense, Dropout, Flatten, Square

from ..suites import broken_promises  # noqa: F401  (enters its layers)
from ..suites.broken_alone import CAUGHT
from .pairs import affine_backward, affine_forward, relu_forward

pytest_plugins = ["pytester"]

Failed, Skipped = pytest.fail.Exception, pytest.skip.Exception
few = settings(max_examples=4, phases=[Phase.generate], report_multiple_bugs=False, deadline=None, derandomize=True)
quick = settings(few, max_examples=200)
MINE = [(check.removeprefix("check_"), cls) for check, cls in CAUGHT]
MINE = [(check, cls) for check, cls in MINE if check in CHECK_NAMES]

USER_FILE = '''
import numpy as np
from hypothesis import Phase, settings
from scratchnet.check.testing import full_suite, pair_suite
from scratchnet.core import Case
from scratchnet.layers import Dense, Square

few = settings(max_examples=3, phases=[Phase.generate], deadline=None, derandomize=True, report_multiple_bugs=False)


class Mine(Square):
    pass


class Twice(Square):
    def backward(self, k, p, g, saved, dy, run):
        dx = super().backward(k, p, g, saved, dy, run)
        return dx if dx is None else np.multiply(dx, 2, out=dx)


class Raises(Square):
    def backward(self, k, p, g, saved, dy, run):
        raise ZeroDivisionError("mine")


class Dead(Dense):
    """y is 0 whatever x and W are, and so are the gradients: right, and nothing to see."""

    def forward(self, k, p, x, run):
        y, saved = super().forward(k, p, x, run)
        y.fill(0)
        return y, saved

    def backward(self, k, p, g, saved, dy, run):
        return np.zeros_like(saved.x)


WITHOUT = [{others}]

test_mine = full_suite(Mine, settings=few)
test_twice = full_suite(Twice, without=WITHOUT, settings=few)
test_raises = full_suite(Raises, without=WITHOUT, settings=few)
test_dead = full_suite(Dead, without=WITHOUT, settings=few, cases=[Case(Dead(2), (3,))])
test_both = full_suite(Mine, Twice, without=WITHOUT, settings=few)

x = np.array([[1.0, -2.0], [0.5, 3.0]])
test_pair = pair_suite(lambda x: (x * x, x), lambda dout, x: 2 * x * dout, dict(x=x))
test_wrong = pair_suite(lambda x: (x * x, x), lambda dout, x: x * dout, dict(x=x), name="square")
'''


@pytest.fixture(scope="module")
def names():
    return [name for name in CHECK_NAMES if name != "gradients"]


def test_in_a_users_file(pytester, names):
    pytester.makepyfile(test_mine=USER_FILE.replace("{others}", ", ".join(map(repr, names))))
    result = pytester.runpytest_inprocess("-v", "-p", "no:cacheprovider")
    text = result.stdout.str()
    for name in CHECK_NAMES:
        assert f"test_mine.py::test_mine[{name}] PASSED" in text
    result.stdout.fnmatch_lines(
        [
            "test_mine.py::test_twice?gradients? FAILED*",
            "test_mine.py::test_raises?gradients? FAILED*",
            "test_mine.py::test_dead?gradients? FAILED*",
            "test_mine.py::test_both?Mine-gradients? PASSED*",
            "test_mine.py::test_both?Twice-gradients? FAILED*",
            "test_mine.py::test_pair PASSED*",
            "test_mine.py::test_wrong FAILED*",
        ]
    )
    result.assert_outcomes(passed=len(CHECK_NAMES) + 2, failed=5)


def test_what_a_failure_says(pytester, names):
    pytester.makepyfile(test_mine=USER_FILE.replace("{others}", ", ".join(map(repr, names))))
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-k", "twice or raises or dead or wrong")
    sections = dict(re.findall(r"_+ (test_\w+)\S* _+\n(.*?)(?=\n___|\n=====)", result.stdout.str(), re.DOTALL))
    twice = sections["test_twice"]
    assert twice.startswith("Twice, gradients: the gradient is wrong")
    assert "constant factor" in twice
    assert "case=Case(layer=Twice()" in twice
    assert "Traceback" not in twice
    assert "def " not in twice  # no source of the checker's
    assert "During handling" not in twice
    assert "VACUOUS  Dead: there was no gradient by " in sections["test_dead"]
    assert "ZeroDivisionError: mine" in sections["test_raises"]
    assert 'raise ZeroDivisionError("mine")' in sections["test_raises"]  # the user's own line, with its traceback
    assert sections["test_wrong"].startswith("FAIL  square")
    assert "reproduce_failure" not in result.stdout.str()


@pytest.mark.parametrize(("check", "cls"), MINE)
def test_the_suite_catches(check, cls):
    with pytest.raises(Failed):
        full_suite(cls, settings=quick)(cls, check)


@pytest.mark.parametrize("cls", [cls for check, cls in CAUGHT if check == "finite differences"][:4])
def test_the_suite_catches_wrong_gradients(cls):
    with pytest.raises(Failed, match="the gradient is wrong"):
        full_suite(cls, settings=quick)(cls, "gradients")


def test_no_promise_is_missing():
    promises = {check.__name__.removeprefix("check_") for check in contract.CHECKS}
    assert promises | {"gradients", "repr", "cpu_contract", "cpu_parity"} == set(CHECK_NAMES)
    assert {check for check, _ in MINE} <= set(CHECK_NAMES)


class OffOnCpu(Square):
    """Right on the reference; the cpu backend is off."""

    def forward(self, k, p, x, run):
        y, saved = super().forward(k, p, x, run)
        if k.__class__.__name__ == "OpTable" and k.backend.name == "cpu":
            y += 1
        return y, saved


@pytest.mark.parametrize("check", ["cpu_parity", "cpu_contract"])
def test_the_cpu_checks_run_on_cpu(check):
    full_suite(OffOnCpu, settings=few)(OffOnCpu, "any_layout")
    with pytest.raises(Failed):
        full_suite(OffOnCpu, settings=few)(OffOnCpu, check)


def test_where_no_op_has_a_cpu_kernel_there_is_nothing_to_compare():
    with pytest.raises(Skipped, match="no op of Flatten has a cpu kernel"):
        full_suite(Flatten, settings=few)(Flatten, "cpu_parity")


def test_an_argument_asleep_in_every_case_is_vacuous_and_in_some_is_not():
    def cases(*rates):
        return [Case(Dropout(rate), (4,), random=True) for rate in rates]

    full_suite(Dropout, cases=cases(1.0, 0.5), settings=settings(few, max_examples=25))(Dropout, "gradients")

    class Nothing(Dropout):
        def forward(self, k, p, x, run):
            y, saved = super().forward(k, p, x, run)
            y.fill(0)
            return y, saved

        def backward(self, k, p, g, saved, dy, run):
            return np.zeros_like(dy) if run.need_dx else None

    nothing = [Case(Nothing(1.0), (4,), random=True)]
    with pytest.raises(Failed, match="VACUOUS  Nothing: there was no gradient by x in any case"):
        full_suite(Nothing, cases=nothing, settings=few)(Nothing, "gradients")


def test_a_layer_without_cases_is_told_so():
    class Bare(Dense):
        cases = Dense.__mro__[1].cases

    assert "Bare" not in LAYERS
    with pytest.raises(Failed, match="Bare draws no cases"):
        full_suite(Bare, settings=few)(Bare, "gradients")
    full_suite(Bare, cases=strategies.st.just(Case(Bare(2), (3,))), settings=few)(Bare, "gradients")


def test_the_loaded_profile_is_kept():
    seen = []

    class Counts(Square):
        @classmethod
        def cases(cls, draw):
            seen.append(1)
            return Case(cls(), (draw.integer(1, 10**6) % 3 + 1,))

    full_suite(Counts)(Counts, "repr")
    assert len(seen) == pytest.approx(settings.default.max_examples, abs=2)


def test_a_misuse_is_refused_at_once():
    with pytest.raises(ConfigError, match="no such check"):
        full_suite(Dense, without=["gradient"])
    for wrong in ((), (Dense(3),), (dict,)):
        with pytest.raises(ConfigError, match="takes layers"):
            full_suite(*wrong)


def drawn(rng):
    return {"x": rng.normal(size=(4, 3)), "w": rng.normal(size=(3, 2)), "b": rng.normal(size=2)}


def mean_backward(dout, cache):
    dx, dw, _ = affine_backward(dout, cache)
    return dx, dw, dout.mean(0)


INPUTS = {
    "by name": drawn(np.random.default_rng(0)),
    "in order": list(drawn(np.random.default_rng(0)).values()),
    "of a generator": drawn,
    "of hypothesis": st.fixed_dictionaries(
        {
            "x": strategies.arrays((4, 3), values="normal"),
            "w": strategies.arrays((3, 2), values="normal"),
            "b": strategies.arrays((2,), values="normal"),
        }
    ),
}


@pytest.mark.parametrize("inputs", INPUTS.values(), ids=INPUTS)
def test_pairs(inputs):
    pair_suite(affine_forward, affine_backward, inputs, settings=few)()
    with pytest.raises(Failed, match="constant factor"):
        pair_suite(affine_forward, mean_backward, inputs, settings=few)()


@pytest.mark.parametrize("inputs", [{"x": np.ones((2, 3))}, lambda rng: {"x": rng.normal(size=(2, 3))}])
def test_a_vacuous_pair_fails(inputs):
    with pytest.raises(Failed, match="VACUOUS"):
        pair_suite(lambda x: (0 * x, x), lambda dout, x: 0 * dout, inputs, settings=few)()


def test_a_pair_that_sleeps_at_times_passes():
    pair = pair_suite(
        relu_forward,
        lambda dout, x: dout * (x > 0),
        lambda rng: {"x": rng.choice([-1, 1]) * rng.uniform(1, 2, (2, 3))},
        settings=settings(few, max_examples=12),
    )
    pair()


def test_pytest_names_the_line_of_the_suite_and_not_this_package():
    from _pytest._code.code import getfslineno

    path, line = getfslineno(full_suite(Dense))
    assert str(path) == __file__
    assert line > 200
