"""The suites must catch every deliberately broken layer: a check that cannot fail is no check."""

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from scratchnet.check import check_contract, check_layer_gradients

from . import broken_fused, broken_sequences  # noqa: F401  (enter their layers)
from .broken import BROKEN
from .drawing import HypothesisDraw, batches, seeds


def suite(cls):
    """What the registry's suites do to a layer, in one function."""

    @settings(phases=[Phase.explicit, Phase.generate])  # a mutant need not be shrunk
    @given(st.data(), seeds, batches)
    def check(data, seed, batch):
        case = cls.cases(HypothesisDraw(data))
        check_layer_gradients(case, seed, batch=batch)
        check_contract(case, seed, batch=batch)

    check()


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_suites_catch(name):
    with pytest.raises(Exception) as caught:  # noqa: PT011  (which check fires first is the mistake's own)
        suite(BROKEN[name])
    assert not isinstance(caught.value, NameError | AttributeError | KeyError), "the mutant itself is faulty"


@pytest.mark.parametrize("name", ["ConvReLUPool", "Dense", "DenseReLU", "ReLU"])
def test_suites_pass_the_right_twin(name):
    from scratchnet.core import LAYERS

    suite(LAYERS[name])
