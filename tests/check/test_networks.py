"""Whole networks with their loss: right ones pass, a wrong layer in them is found, and they stay as they are."""

import numpy as np
import pytest

from scratchnet import Dense, Network, ReLU, SoftmaxCrossEntropy
from scratchnet.check import Verdict, check_network
from scratchnet.core.errors import ScratchnetError
from scratchnet.layers import BatchNorm1d, Dropout, Tanh

LABELS = np.array([0, 2, 1, 2])


def x(seed=0):
    return np.random.default_rng(seed).normal(size=(4, 6)).astype(np.float32)


def check(*layers, batch=4, **how):
    return check_network(Network(list(layers), (6,), seed=1), SoftmaxCrossEntropy(), x()[:batch], LABELS[:batch], **how)


class Wrong(Tanh):
    """dx is scaled where `when(saved, dy, run)` says so."""

    def backward(self, k, p, g, saved, dy, run):
        dx = super().backward(k, p, g, saved, dy, run)
        if dx is not None and self.when(dy, run):
            dx *= 1.5
        return dx


def when(condition):
    return type("Wrong", (Wrong,), {"when": staticmethod(condition)})()


@pytest.mark.parametrize("layers", [[Dense(5), ReLU(), Dense(3)], [Dense(5), Tanh(), Dropout(0.4), Dense(3)]])
@pytest.mark.parametrize("training", [True, False])
def test_right_ones_pass(layers, training):
    report = check(*layers, training=training)
    assert report, report


def test_a_wrong_layer_is_found_in_what_lies_before_it():
    report = check(Dense(5), when(lambda dy, run: True), Dense(3))
    assert [f.argument for f in report.findings if f.verdict is Verdict.FAIL] == ["x", "0.W", "0.b"]


@pytest.mark.parametrize("training", [True, False])
def test_the_other_mode_is_looked_at(training):
    report = check(Dense(5), when(lambda dy, run: run.training != training), Dense(3), training=training)
    assert "mode swapped" in report.kinds, report


def test_its_own_floats_are_looked_at():
    report = check(Dense(5), when(lambda dy, run: dy.dtype == np.float32), Dense(3))
    assert any("in float32 on cpu" in str(fault) for fault in report.faults), report


def test_a_bias_before_a_norm_has_no_gradient_and_is_no_pass():
    report = check(Dense(5), BatchNorm1d(), Dense(3))
    assert [f.argument for f in report.findings if f.verdict is Verdict.VACUOUS] == ["0.b"]
    assert report.verdict is Verdict.VACUOUS


def test_a_batch_that_the_other_mode_refuses():
    """One sample has no batch statistics, but may be evaluated."""
    assert check(Dense(5, bias=False), BatchNorm1d(), Dense(3), batch=1, training=False)


def test_the_network_stays_as_it_is():
    net = Network([Dense(5), BatchNorm1d(), Dropout(0.5), Dense(3)], (6,), seed=1)
    before = [store.flat.copy() for store in (net.parameters, net.gradients, net.buffers)]
    check_network(net, SoftmaxCrossEntropy(), x(), LABELS)
    for store, old in zip((net.parameters, net.gradients, net.buffers), before, strict=True):
        assert np.array_equal(store.flat, old)
    assert net.count[0] == 0


def test_what_does_not_fit_is_refused():
    with pytest.raises(ScratchnetError):
        check_network(Network([Dense(3)], (6,)), SoftmaxCrossEntropy(), x(), LABELS[:3])
