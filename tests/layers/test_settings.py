"""Hyper-parameters without meaning are refused when the layer or loss is made, in its own name."""

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.core import ConfigError


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: sn.Dense(0), "Dense"),
        (lambda: sn.Dense(3.0), "Dense"),
        (lambda: sn.Dense("3"), "Dense"),
        (lambda: sn.Dense(True), "Dense"),
        (lambda: sn.Conv2d(2.0, 3), "Conv2d"),
        (lambda: sn.Conv2d(3, 3, groups=1.5), "Conv2d"),
        (lambda: sn.Conv2d(3, [3, 3]), "Conv2d"),
        (lambda: sn.Embedding(2.5, 3), "Embedding"),
        (lambda: sn.Embedding(4, 3, padding_index=1.0), "padding_index"),
        (lambda: sn.GroupNorm(1.5), "GroupNorm"),
        (lambda: sn.LayerNorm(1.5), "LayerNorm"),
        (lambda: sn.Softmax(1.5), "axis"),
        (lambda: sn.LeakyReLU("a"), "LeakyReLU's slope is a number"),
        (lambda: sn.ELU(float("nan")), "ELU's alpha is a number"),
        (lambda: sn.Dropout(True), "Dropout's rate is a number"),
        (lambda: sn.Dense(3, bias=2), "Dense's bias is True or False"),
        (lambda: sn.Huber("x"), "Huber's delta is a number"),
        (lambda: sn.SGD("a"), "SGD's lr is a number"),
        (lambda: sn.SGD(float("inf")), "finite"),
        (lambda: sn.SGD(0.1).step(sn.Network([sn.Dense(2)], (3,)), lr=float("nan")), "finite"),
        (lambda: sn.LogSoftmax("1"), "axis"),
        (lambda: sn.Parallel(sn.ReLU(), axis=1.5), "axis"),
        (lambda: sn.Reshape(True, 2), "Reshape"),
        (lambda: sn.SoftmaxCrossEntropy(class_weights=[1.0, 2.0]), "tuple"),
        (lambda: sn.SoftmaxCrossEntropy(class_weights=3.0), "tuple"),
        (lambda: sn.SoftmaxCrossEntropy(class_weights=(1.0, -1.0)), "negative"),
        (lambda: sn.SoftmaxCrossEntropy(class_weights=(1.0, float("nan"))), "negative"),
    ],
)
def test_settings_without_meaning_are_refused(make, says):
    with pytest.raises(ConfigError, match=says):
        make()


def test_a_numpy_integer_is_a_whole_number_and_shows_as_one():
    layer = sn.Dense(np.int64(3))
    assert repr(layer) == "Dense(3)"
    assert eval(repr(layer), {"Dense": sn.Dense}) == layer


def test_one_hot_integers_are_told_what_would_fit():
    with pytest.raises(ValueError, match=r"probabilities\n.*int64\n.*astype\(np.float32\)"):
        sn.SoftmaxCrossEntropy()(np.zeros((2, 3), np.float32), np.eye(3, dtype=np.int64)[:2])
