"""Every layer of the registry against every check, under drawn cases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratchnet.layers  # noqa: F401  (fills the registry)
from scratchnet.check import VacuousError, check_contract, check_layer_gradients, check_parity
from scratchnet.core import LAYERS

from .drawing import HypothesisDraw, batches, seeds

every_layer = pytest.mark.parametrize("name", sorted(LAYERS))


@every_layer
def test_gradients(name):
    """By x and every parameter; over all cases, each argument must have had a gradient to check."""
    seen = {}

    @given(st.data(), seeds, batches, st.booleans())
    def check(data, seed, batch, training):
        case = LAYERS[name].cases(HypothesisDraw(data))
        for argument, size in check_layer_gradients(case, seed, batch=batch, training=training).items():
            seen[argument] = max(seen.get(argument, 0.0), size)

    check()
    if not seen or min(seen.values()) == 0.0:
        raise VacuousError(f"{name}: nothing was exercised", actual=seen)


@every_layer
@given(data=st.data(), seed=seeds, batch=batches, training=st.booleans())
def test_contract(name, data, seed, batch, training):
    check_contract(LAYERS[name].cases(HypothesisDraw(data)), seed, batch=batch, training=training)


@every_layer
@given(data=st.data(), seed=seeds, batch=batches, training=st.booleans())
def test_cpu_keeps_the_contract(name, data, seed, batch, training):
    check_contract(LAYERS[name].cases(HypothesisDraw(data)), seed, batch=batch, training=training, backend="cpu")


@every_layer
@given(data=st.data(), seed=seeds, batch=st.integers(1, 9), training=st.booleans())
def test_cpu_agrees_with_the_reference(name, data, seed, batch, training):
    case = LAYERS[name].cases(HypothesisDraw(data))
    batch = max(batch, 2) if case.mixes_batch else batch
    check_parity(case, seed, batch=batch, training=training)
