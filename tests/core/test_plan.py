"""The recorded plan, besides what the suites replay: FLOPs, buffers, and what it refuses."""

from dataclasses import dataclass

import numpy as np
import pytest

from scratchnet import Conv2d, Dense, Network, ReLU
from scratchnet.core.plan import Recorder, RecordError
from scratchnet_kernels import get_backend


def test_a_plan_lists_calls_paths_and_flops():
    net = Network([Dense(8), ReLU(), Dense(3)], (5,), backend="reference", fuse=False)
    plan = net.record(4)
    assert [(c.op, c.path) for c in plan.forward] == [("dense", "0"), ("relu", "1"), ("dense", "2")]
    assert [c.op for c in plan.backward] == ["dense_backward", "relu_backward", "dense_backward"]
    assert plan.flops == (2 * 4 * (5 * 8 + 8 * 3), 4 * 4 * (5 * 8 + 8 * 3))
    assert plan.dx is None


def test_flops_of_a_convolution():
    plan = Network([Conv2d(6, (3, 2), stride=2, groups=2)], (4, 9, 8), backend="reference").record(5, need_dx=True)
    products = 5 * 6 * 4 * 4 * (4 // 2) * 3 * 2  # N, O, OH, OW, C/groups, KH, KW
    assert plan.flops == (2 * products, 4 * products)


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


def test_a_view_is_placed_by_all_that_it_reaches():
    """Also one that runs backwards; what sticks out of the buffer is no part of it."""
    recorder = Recorder(get_backend("reference"))
    a = recorder.lease(np.zeros((4, 6)), "tape")
    for view in (a[::-1], a[:, ::-2], a[1:3, 4:], a.T, a[::-1, ::-1], a[2]):
        place = recorder.ref(view, "x")
        assert (place.buffer, place.shape, place.strides) == (0, view.shape, view.strides)
        assert place.offset == view.__array_interface__["data"][0] - a.__array_interface__["data"][0]
    whole = np.zeros(30)
    recorder.lease(whole[6:24], "tape")
    for out in (whole[5:9], whole[20:25], whole[8:4:-1], whole[26:20:-1], whole[5:25:19]):
        with pytest.raises(RecordError):
            recorder.ref(out, "x")
