"""The reference on Python numbers: 60 digits for every layer, exact fractions where no root or exponential is met."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scratchnet.layers  # noqa: F401  (fills the registry)
from scratchnet.check import check_objects
from scratchnet.core import LAYERS
from scratchnet_kernels.reference import _math

from .drawing import HypothesisDraw, seeds

RATIONAL = {"AvgPool2d", "Conv2d", "Dense", "Dropout", "Embedding", "Flatten", "GlobalAvgPool2d", "LeakyReLU"}
RATIONAL |= {"MaxPool2d", "ReLU", "Reshape", "Square", "Conv1d", "ConvTranspose2d", "PositionalEmbedding"}
"""Layers whose arithmetic fractions must be able to follow. Any other may meet a root or an exponential in a case."""


@pytest.mark.parametrize("name", sorted(LAYERS))
@settings(max_examples=8)
@given(data=st.data(), seed=seeds, training=st.booleans())
def test_digits(name, data, seed, training):
    check_objects(LAYERS[name].cases(HypothesisDraw(data)), seed, "digits", training=training)


@pytest.mark.parametrize("name", sorted(LAYERS))
@settings(max_examples=8)
@given(data=st.data(), seed=seeds, training=st.booleans())
def test_fractions(name, data, seed, training):
    case = LAYERS[name].cases(HypothesisDraw(data))
    try:
        check_objects(case, seed, "fractions", training=training)
    except (AttributeError, TypeError) as error:
        if name in RATIONAL or not has_no_fraction(error):
            raise


def has_no_fraction(error):
    """Whether it is that a fraction was asked for its exponential, root, ..., in Python's words or in NumPy's."""
    asked = re.search(r"Fraction\b.* has no (?:attribute|callable) '?(\w+)", str(error))
    return asked is not None and callable(getattr(_math, asked[1], None))


def test_rational_layers_are_layers():
    assert LAYERS.keys() >= RATIONAL
