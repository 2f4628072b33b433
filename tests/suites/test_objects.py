"""The reference on Python numbers: 60 digits for every layer, exact fractions where no root or exponential is met."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scratchnet.layers  # noqa: F401  (fills the registry)
from scratchnet.check import check_objects
from scratchnet.core import LAYERS

from .drawing import HypothesisDraw, seeds

SMOOTH = {"BatchNorm1d", "BatchNorm2d", "ELU", "GELU", "GroupNorm", "LayerNorm", "LogSoftmax", "RMSNorm", "SiLU"}
SMOOTH |= {"MultiHeadAttention"}
SMOOTH |= {"Sigmoid", "Softmax", "Softplus", "Tanh", "Sequential", "Residual", "Parallel"}  # composites draw any layer


@pytest.mark.parametrize("name", sorted(LAYERS))
@settings(max_examples=8)
@given(data=st.data(), seed=seeds, training=st.booleans())
def test_digits(name, data, seed, training):
    check_objects(LAYERS[name].cases(HypothesisDraw(data)), seed, "digits", training=training)


@pytest.mark.parametrize("name", sorted(LAYERS.keys() - SMOOTH))
@settings(max_examples=8)
@given(data=st.data(), seed=seeds, training=st.booleans())
def test_fractions(name, data, seed, training):
    check_objects(LAYERS[name].cases(HypothesisDraw(data)), seed, "fractions", training=training)
