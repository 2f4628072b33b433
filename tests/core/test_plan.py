"""The recorded plan, besides what the suites replay: FLOPs, buffers, and what it refuses."""

from dataclasses import dataclass

import numpy as np
import pytest

from scratchnet import Dense, Network, ReLU
from scratchnet.core.plan import RecordError


def test_a_plan_lists_calls_paths_and_flops():
    net = Network([Dense(8), ReLU(), Dense(3)], (5,), backend="reference")
    plan = net.record(4)
    assert [(c.op, c.path) for c in plan.forward] == [("dense", "0"), ("relu", "1"), ("dense", "2")]
    assert [c.op for c in plan.backward] == ["dense_backward", "relu_backward", "dense_backward"]
    assert plan.flops == (2 * 4 * (5 * 8 + 8 * 3), 4 * 4 * (5 * 8 + 8 * 3))
    assert plan.dx is None


def test_recording_computes_and_changes_nothing():
    net = Network([Dense(8)], (5,), backend="reference")
    before = net.parameters.flat.copy(), net.count.copy()
    net.record(4, need_dx=True)
    np.testing.assert_array_equal(net.parameters.flat, before[0])
    assert net.count == before[1]
    assert not net.gradients.flat.any()


def test_an_array_from_elsewhere_is_refused_with_the_layers_name():
    @dataclass(frozen=True, repr=False)
    class Copies(ReLU):
        def forward(self, k, p, x, run):
            return super().forward(k, p, x.copy(), run)

    with pytest.raises(RecordError, match=r"layer 1.*relu\(x\)"):
        Network([Dense(4), Copies()], (3,), backend="reference").record(2)
