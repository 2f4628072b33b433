"""The two strongest proofs: 100 digits for every layer, exact fractions where no root or exponential is met."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scratchnet.layers  # noqa: F401  (fills the registry)
from scratchnet.check import Verdict, check_layer_gradients, check_objects
from scratchnet.check.subject import NotRun
from scratchnet.core import LAYERS

from .drawing import HypothesisDraw, seeds

RATIONAL = {"AvgPool2d", "Conv2d", "Dense", "Dropout", "Embedding", "Flatten", "GlobalAvgPool2d", "LeakyReLU"}
RATIONAL |= {"MaxPool2d", "ReLU", "Reshape", "Square", "Conv1d", "ConvTranspose2d", "PositionalEmbedding"}
"""Layers whose arithmetic fractions must be able to follow. Any other may meet a root or an exponential in a case."""


@pytest.mark.parametrize("name", sorted(LAYERS))
@settings(max_examples=8)
@given(data=st.data(), seed=seeds, training=st.booleans())
def test_digits(name, data, seed, training):
    """Forward and backward agree with floats, and the gradient with the function to 30 digits."""
    case = LAYERS[name].cases(HypothesisDraw(data))
    check_objects(case, seed, "digits", training=training)
    check_layer_gradients(case, seed, batch=2, training=training, rungs=["high precision"], most=2)


@pytest.mark.parametrize("name", sorted(LAYERS))
@settings(max_examples=8)
@given(data=st.data(), seed=seeds, training=st.booleans())
def test_fractions(name, data, seed, training):
    """The same exactly, with no tolerance."""
    case = LAYERS[name].cases(HypothesisDraw(data))
    try:
        check_objects(case, seed, "fractions", training=training)
    except NotRun:
        assert name not in RATIONAL
        return
    findings = check_layer_gradients(case, seed, batch=2, training=training, rungs=["exact"], most=3)
    if name in RATIONAL:
        assert all(finding.verdict is not Verdict.NOT_RUN for finding in findings)


def test_rational_layers_are_layers():
    assert LAYERS.keys() >= RATIONAL
