"""The bug zoo: right twins pass, every mistake is caught, and most are called by their name."""

from collections import Counter
from functools import cache

import numpy as np
import pytest

from scratchnet.check import Verdict, check_gradients
from scratchnet.check.zoo import SPECIES

KINDS = {
    "gradient missing", "sign", "constant factor", "array factor", "transpose", "flip", "rows mixed", "mask", "border",
    "window", "axis not summed", "cotangent ignored", "cotangent twice", "not linear", "term missing",
    "statistics constant", "mode swapped", "state left over", "mutation", "aliasing", "not added", "not finite",
    "protocol",
}  # fmt: skip
MUTANTS = {f"{s.name} / {m.name}": (s, m) for s in SPECIES.values() for m in s.mutants}
RIGHT = {f"{s.name} / {name}": (s, b) for s in SPECIES.values() for name, b in [("right", s.backward), *(
    (t.name, t.backward) for t in s.twins)]}  # fmt: skip


@cache
def report_of(name):
    species, backward = MUTANTS[name] if name in MUTANTS else RIGHT[name]
    inputs = species.inputs(np.random.default_rng(0))
    most = 200 if "300,000" not in name else 10  # the directions decide there, and coordinates cost 10 ms each
    return check_gradients(species.forward, getattr(backward, "backward", backward), inputs, name=name, most=most)


@pytest.mark.parametrize("name", RIGHT)
def test_right_twins_pass(name):
    assert report_of(name), report_of(name)


@pytest.mark.parametrize("name", MUTANTS)
def test_every_mistake_is_caught(name):
    report, (_, mutant) = report_of(name), MUTANTS[name]
    assert report.verdict is Verdict.FAIL, f"{mutant.what}\n{report}"


TIES = [name for name, (species, _) in MUTANTS.items() if "ties" in species.name]


@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("name", TIES)
def test_mistakes_at_ties_are_caught_wherever_the_ties_fall(name, seed):
    species, mutant = MUTANTS[name]
    inputs = species.inputs(np.random.default_rng(seed))
    report = check_gradients(species.forward, mutant.backward, inputs, name=name, seed=seed)
    assert report.verdict is Verdict.FAIL, f"{mutant.what}\n{report}"


def test_most_mistakes_are_called_by_their_name():
    """The kind that is named first is one that the mutant lists."""
    named = {name: report_of(name).kinds[:1] for name in MUTANTS}
    astray = {name: kinds for name, kinds in named.items() if not set(kinds) & set(MUTANTS[name][1].kinds)}
    assert len(astray) <= 0.2 * len(MUTANTS), astray


def gradients(species, backward):
    """What a backward gives by name, or the exception that it raises."""
    inputs = dict(species.inputs(np.random.default_rng(0)))
    out, kept = species.forward(*inputs.values())
    dout = np.random.default_rng(1).normal(size=out.shape)
    by = [name for name, value in inputs.items() if isinstance(value, np.ndarray) and value.dtype.kind == "f"]
    try:
        return dict(zip(by, backward(dout.copy(), kept), strict=True))
    except ValueError as error:
        return error


HABITS = {"mutation", "aliasing", "state left over"}


@pytest.mark.parametrize("name", [name for name, (_, m) in MUTANTS.items() if not HABITS & set(m.kinds)])
def test_a_mistake_spoils_what_it_says_and_nothing_else(name):
    species, mutant = MUTANTS[name]
    right, wrong = gradients(species, species.backward), gradients(species, mutant.backward)
    if isinstance(wrong, ValueError):
        assert mutant.kinds[0] == "protocol"
        return
    same = [n for n in right if np.shape(right[n]) == np.shape(wrong[n]) and wrong[n] is not None]
    same = [n for n in same if np.allclose(right[n], wrong[n], rtol=1e-7, atol=1e-9)]
    assert set(right) - set(same) == set(mutant.spoils)


@pytest.mark.parametrize("name", [name for name, s in SPECIES.items() if "ties" not in name and "large" not in name])
def test_the_zoo_s_own_differences_agree_with_its_right_backwards(name):
    """Without the checker that the zoo is there to judge: central differences along three directions."""
    species, h = SPECIES[name], 1e-6
    inputs, analytic = dict(species.inputs(np.random.default_rng(0))), gradients(SPECIES[name], SPECIES[name].backward)
    dout = np.random.default_rng(1).normal(size=species.forward(*inputs.values())[0].shape)
    for argument, gradient in analytic.items():
        for seed in range(3):
            direction = np.random.default_rng(seed).normal(size=gradient.shape)
            up, down = (species.forward(*(inputs | {argument: inputs[argument] + s * direction}).values())[0]
                        for s in (h, -h))  # fmt: skip
            slope = float((dout * (up - down)).sum() / (2 * h))
            room = 1e-5 * float(abs(gradient * direction).sum()) + 1e-6
            assert abs(slope - float((gradient * direction).sum())) < room, (argument, seed)


def test_the_zoo_is_sound():
    assert len(MUTANTS) == sum(len(species.mutants) for species in SPECIES.values()) > 200
    for name, (_, mutant) in MUTANTS.items():
        assert set(mutant.kinds) <= KINDS, name
        assert mutant.what, name
        assert mutant.seen, name
    assert set(Counter(mutant.kinds[0] for _, mutant in MUTANTS.values())) == KINDS
