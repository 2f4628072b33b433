import itertools
import tracemalloc

import numpy as np
import pytest

from scratchnet.data import Batches, DataError, Split
from scratchnet.data.ring import Ring


def split_of(n, shape=(4, 3), dtype=np.uint8):
    """n samples that carry their own number in their first two values."""
    x = np.random.default_rng(0).integers(0, 256, (n, *shape), np.uint8).astype(dtype)
    flat = x.reshape(n, -1)
    flat[:, 0], flat[:, 1] = np.arange(n) % 256, np.arange(n) // 256
    return Split("train", x, np.arange(n))


def numbers(x):
    flat = np.rint(x.reshape(len(x), -1)[:, :2]).astype(int)
    return (flat[:, 0] + 256 * flat[:, 1]).tolist()


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize(
    ("n", "size", "drop_last"), [(300, 32, False), (300, 32, True), (64, 32, True), (20, 32, False)]
)
def test_every_sample_once_an_epoch(n, size, drop_last, shuffle):
    batches = Batches(split_of(n), size, shuffle=shuffle, scale=1.0, drop_last=drop_last)
    for epoch in range(3):
        seen, sizes = [], []
        for x, y in batches.epoch(epoch):
            assert numbers(x) == y.tolist()
            seen += y.tolist()
            sizes.append(len(y))
        assert len(sizes) == len(batches)
        assert set(sizes[:-1]) <= {size}
        kept = n - n % size if drop_last else n
        assert len(seen) == len(set(seen)) == kept
        assert (seen == sorted(seen)) == (not shuffle)


def labels(batches, epoch, start=0):
    return [y.tolist() for _, y in batches.epoch(epoch, start)]


def test_order_depends_on_seed_and_epoch_alone():
    first, second = Batches(split_of(100), 8, seed=5), Batches(split_of(100), 8, seed=5)
    for epoch in (0, 1):
        labels(first, epoch)
    assert labels(first, 7) == labels(second, 7)
    assert labels(first, 7) != labels(first, 8)
    assert labels(first, 7) != labels(Batches(split_of(100), 8, seed=6), 7)
    assert list(itertools.chain(*labels(first, 7))) == first.order(7).tolist()


def test_the_order_is_what_it_always_was():
    assert Batches(split_of(10), 4, seed=0).order(0).tolist() == [
        8,
        2,
        5,
        0,
        1,
        9,
        3,
        6,
        7,
        4,
    ]  # a resumed run must meet the same order


def test_start_resumes_an_epoch():
    batches = Batches(split_of(50), 8)
    whole = labels(batches, 2)
    for start in range(8):
        assert labels(batches, 2, start) == whole[start:]


@pytest.mark.parametrize("arguments", [(-1,), (0, -1), (0, 8), (1.5,), ("a",), (0, "1")])
def test_epoch_refuses_at_the_call(arguments):
    with pytest.raises(DataError, match="no such batch"):
        Batches(split_of(50), 8).epoch(*arguments)


def test_two_epochs_at_once_do_not_meddle():
    batches = Batches(split_of(64), 8)
    alone = [labels(batches, 0), labels(batches, 1), labels(batches, 2)]
    together = list(zip(*(batches.epoch(e) for e in range(3)), strict=True))
    assert [[batch[e][1].tolist() for batch in together] for e in range(3)] == alone


@pytest.mark.parametrize("backend", ["cpu", "reference"])
@pytest.mark.parametrize(
    ("shape", "flatten", "expected"),
    [
        ((4, 3), False, (1, 4, 3)),
        ((4, 3), True, (12,)),
        ((3, 4, 5), False, (3, 4, 5)),
        ((3, 4, 5), True, (60,)),
        ((7,), False, (7,)),
    ],
)
def test_shapes_and_default_scale(shape, flatten, expected, backend):
    split = split_of(20, shape)
    for x, y in Batches(split, 6, flatten=flatten, backend=backend).epoch(0):
        assert x.shape == (len(y), *expected)
        assert x.dtype == np.float32
        assert x.ctypes.data % 64 == 0
        np.testing.assert_allclose(x, split.x[y].reshape(x.shape) / 255, rtol=1e-6)


def test_scale_and_shift_per_channel():
    split = split_of(20, (3, 4, 5))
    scale, shift = (0.5, 2.0, -1.0), (0.0, 1.0, 7.0)
    for x, y in Batches(split, 6, scale=scale, shift=shift, dtype="float64").epoch(0):
        assert x.dtype == np.float64
        for c in range(3):
            assert (x[:, c] == split.x[y][:, c] * scale[c] + shift[c]).all()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ">f4"])
def test_float_samples_and_views(dtype):
    split = split_of(20, (3, 6), dtype)
    strided = Split("train", split.x[::2, :, ::2], split.y[::2])
    for x, y in Batches(strided, 4, scale=1.0).epoch(0):
        assert (x[:, 0] == split.x[y][:, :, ::2].astype(np.float32)).all()


@pytest.mark.parametrize(
    "settings",
    [
        {"batch_size": 0},
        {"batch_size": 1.5},
        {"seed": -1},
        {"batch_size": 21, "drop_last": True},
        {"dtype": "float16"},
        {"scale": (1.0, 2.0)},
        {"shift": float("nan")},
    ],
)
def test_construction_refuses(settings):
    with pytest.raises(DataError):
        Batches(split_of(20), **{"batch_size": 4, **settings})


def test_a_batch_that_is_held_stays_as_it_is():
    batches = Batches(split_of(400), 8, scale=1.0)
    held = [(x, y) for x, y in batches.epoch(0)]
    for x, y in held:
        assert numbers(x) == y.tolist()
    views = [x[2:3, 0, ::2].T for x, _ in batches.epoch(1)]
    copies = [view.copy() for view in views]
    labels(batches, 2)
    assert all((view == copy).all() for view, copy in zip(views, copies, strict=True))


def test_memory_comes_back_when_no_view_lives():
    batches = Batches(split_of(400), 8)
    addresses = {(x.ctypes.data, y.ctypes.data) for x, y in batches.epoch(0)}
    assert len(addresses) == 2  # the one in hand, and the one being made


def test_ring():
    ring = Ring(64, keep=2)
    a = ring.take((4,), np.float32)
    b = ring.take((8,), np.float64)
    c = ring.take((2, 3), np.int64)
    places = [array.ctypes.data for array in (a, b, c)]
    assert len(set(places)) == 3
    memory = memoryview(a)
    del a, b, c
    d = ring.take((1,), np.uint8)
    assert d.ctypes.data == places[1]  # a's memory is still looked at, c's was never kept
    del memory
    e = ring.take((1,), np.uint8)
    assert e.ctypes.data == places[0]


def test_debug_poisons_what_is_lent(monkeypatch):
    monkeypatch.setenv("SCRATCHNET_DEBUG", "1")
    ring = Ring(64)
    for _ in range(2):
        assert np.isnan(ring.take((4,), np.float32)).all()
        assert (ring.take((4,), np.int64) == np.iinfo(np.int64).max).all()


def test_steady_state_allocates_nothing_large():
    batches = Batches(split_of(4000, (28, 28)), 128)
    for epoch in range(2):
        labels(batches, epoch)
    tracemalloc.start()
    try:
        largest = max(x.nbytes for x, _ in batches.epoch(2))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 65_536 < largest
