"""Stores and pools: stretches for the optimizer, initialisation, poison, and notes on foreign errors."""

import numpy as np
import pytest

from scratchnet import Dense, Network, ReLU
from scratchnet.core.run import Pool, Run


def make(**settings):
    return Network([Dense(6), ReLU(), Dense(3)], (4,), **({"backend": "reference"} | settings))


def test_parameters_of_one_treatment_are_one_stretch():
    store = make().parameters
    assert [(where, lr, decay) for where, lr, decay in store.runs()] == [(slice(0, store.segments["2.b"].stop), 1, 1)]
    store.segments["2.W"].lr = 0.5
    store.segments["0.b"].frozen = True
    ends = [(store.segments[name].start, store.segments[name].stop) for name in ("0.W", "2.W", "2.b")]
    assert [(where.start, where.stop, lr) for where, lr, _ in store.runs()] == [
        (*end, lr) for end, lr in zip(ends, (1, 0.5, 1), strict=True)
    ]


def test_initialising_again_begins_again():
    store = make(seed=3).parameters
    before, version = store.flat.copy(), store.version
    store.flat += 1
    store.initialize(3)
    for name, segment in store.segments.items():
        np.testing.assert_array_equal(store.views[name].reshape(-1), before[segment.start : segment.stop])
    assert store.version > version


@pytest.mark.parametrize(("setting", "poisoned"), [("1", True), ("0", False), ("", False)])
def test_leased_memory_is_poisoned_where_that_is_asked_for(monkeypatch, setting, poisoned):
    """The tests ask for it, so that a layer that reads what it has not written meets a NaN."""
    assert Pool().debug
    monkeypatch.setenv("SCRATCHNET_DEBUG", setting)
    run = Run(Pool(), training=False, count=np.zeros(1, np.int64))
    wave = run.scratch((4,), np.complex128)
    for array in (run.empty((2, 3), np.float32), wave.real, wave.imag):
        assert np.isnan(array).all() == poisoned
    assert (run.empty((5,), np.int64) == np.iinfo(np.int64).max).all() == poisoned


def test_a_pool_counts_its_slabs():
    pool = Pool()
    slabs = [pool.take(5, np.dtype("f4")), pool.take(9, np.dtype("f4"))]
    assert pool.made == 2
    pool.give(slabs)
    assert pool.take(4, np.dtype("f4")) is slabs[0]  # the smallest that is large enough
    assert pool.take(4, np.dtype("f4")) is slabs[1]
    assert pool.made == 2
    assert pool.take(4, np.dtype("f8")).dtype == np.float64
    assert pool.made == 3


def test_a_foreign_error_says_in_which_layer_it_arose():
    class Fails(ReLU):
        def forward(self, k, p, x, run):
            raise ZeroDivisionError("of somebody else's")

    with pytest.raises(ZeroDivisionError) as caught:
        Network([Dense(3), Fails()], (4,), backend="reference").forward(np.ones((2, 4), np.float32), training=True)
    (note,) = caught.value.__notes__
    assert "in layer 1, " in note
    assert "Fails" in note
