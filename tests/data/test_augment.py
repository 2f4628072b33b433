"""The op gather_augment on both backends, and batches of pictures that are moved and mirrored."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.data import Augment, Batches, DataError, Split
from scratchnet_kernels import DtypeError, ShapeError, get_backend
from scratchnet_kernels.cpu import gather as kernels
from tests.kernels.test_bounds import guarded

OPS = {name: get_backend(name).table() for name in ("reference", "cpu")}
SOURCES = (np.uint8, np.int16, np.bool_, np.float32, np.float64, np.float16, ">i2")
every_backend = pytest.mark.parametrize("k", OPS.values(), ids=OPS)


def by_padding(images, index, move, scale, shift, y):
    """The same in other words: mirror, lay on a black sheet, cut out."""
    H, W = images.shape[2:]
    for n, (m, (down, right, mirror)) in enumerate(zip(index, move, strict=True)):
        picture = images[m, :, :, ::-1] if mirror else images[m]
        top, left = H + 1 + max(-H - 1, min(down, H + 1)), W + 1 + max(-W - 1, min(right, W + 1))
        sheet = np.zeros((len(picture), 3 * H + 2, 3 * W + 2), images.dtype)
        sheet[:, top : top + H, left : left + W] = picture
        seen = sheet[:, H + 1 : 2 * H + 1, W + 1 : 2 * W + 1]
        seen = seen.astype(y.dtype) if seen.dtype.kind in "iub" else seen
        y[n] = seen * scale[:, None, None] + shift[:, None, None]


def drawn(M, C, H, W, N, source, dtype, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.uniform(0, 255, (M, C, H, W)).astype(source)
    move = np.stack([rng.integers(-H - 1, H + 2, N), rng.integers(-W - 1, W + 2, N), rng.integers(0, 2, N)], 1)
    return images, rng.integers(0, M, N), move, rng.normal(size=C).astype(dtype), rng.normal(size=C).astype(dtype)


def run(k, images, index, move, scale, shift):
    y = np.full((len(index), *images.shape[1:]), np.nan, scale.dtype)
    k.gather_augment(images, index, move, scale, shift, y)
    return y


def same_bits(a, b):
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(np.signbit(a), np.signbit(b))


@given(
    st.tuples(*[st.integers(1, top) for top in (4, 3, 9, 40, 12)]),
    st.sampled_from(SOURCES),
    st.sampled_from([np.float32, np.float64]),
    st.integers(0, 99),
)
def test_both_backends_are_padding_and_cutting_to_the_bit(extents, source, dtype, seed):
    arguments = drawn(*extents, source, dtype, seed)
    expected = run(OPS["reference"], *arguments)
    same_bits(run(OPS["cpu"], *arguments), expected)
    other = np.empty_like(expected)
    by_padding(*arguments, other)
    same_bits(expected, other)


@every_backend
@pytest.mark.parametrize("source", SOURCES)
def test_without_a_move_it_is_gather_scale_to_the_bit(k, source):
    images, index, move, scale, shift = drawn(9, 3, 7, 21, 50, source, np.float32)
    y = np.empty((50, 3, 7 * 21), np.float32)
    k.gather_scale(images.reshape(9, 3, -1), index, scale, shift, y)
    same_bits(run(k, images, index, 0 * move, scale, shift), y.reshape(50, 3, 7, 21))


@every_backend
def test_formula(k):
    """Mirrored first, then moved; what comes in is a raw 0, scaled and shifted."""
    images = np.arange(1, 7, dtype=np.uint8).reshape(1, 1, 2, 3)
    moves = {(0, 0, 0): [[1, 2, 3], [4, 5, 6]], (0, 0, 1): [[3, 2, 1], [6, 5, 4]], (1, 0, 0): [[0, 0, 0], [1, 2, 3]],
             (0, -1, 0): [[2, 3, 0], [5, 6, 0]], (-1, 1, 1): [[0, 6, 5], [0, 0, 0]], (2, 0, 0): [[0] * 3] * 2,
             (0, -3, 1): [[0] * 3] * 2}  # fmt: skip
    y = run(k, images, np.zeros(len(moves), int), np.array(list(moves)), np.array([2.0]), np.array([0.5]))
    np.testing.assert_array_equal((y[:, 0] - 0.5) / 2, list(moves.values()))


def test_cut_into_parts(monkeypatch):
    """As for several threads, on however many cores there are."""
    monkeypatch.setattr(kernels, "threads_of_pass", lambda elements: 3)
    arguments = drawn(30, 3, 9, 7, 100, np.uint8, np.float32)
    same_bits(run(OPS["cpu"], *arguments), run(OPS["reference"], *arguments))


@every_backend
def test_a_nan_goes_through_and_what_is_out_of_sight_does_not(k):
    images = np.full((1, 1, 3, 3), np.nan, np.float32)
    y = run(k, images, np.zeros(2, int), np.array([[0, 1, 0], [9, 0, 1]]), np.ones(1, "f"), np.zeros(1, "f"))
    assert np.isnan(y[0, 0, :, 1:]).all()
    assert not y[0, 0, :, 0].any()
    assert not y[1].any()


@every_backend
@pytest.mark.parametrize("how", ["images", "y", "move", "read-only"])
def test_any_strides(k, how):
    images, index, move, scale, shift = drawn(5, 2, 6, 8, 7, np.uint8, np.float64)
    expected, y = run(OPS["reference"], images, index, move, scale, shift), np.zeros((7, 2, 8, 6)).swapaxes(2, 3)
    if how == "images":
        images = np.repeat(images, 2, 3)[..., ::2]
    elif how == "move":
        move = np.repeat(move, 2, 0)[::2]
    elif how == "read-only":
        images.flags.writeable = False
    y = y if how == "y" else np.empty_like(expected)
    k.gather_augment(images, index, move, scale, shift, y)
    same_bits(y, expected)


@every_backend
def test_moves_beyond_all_bounds_and_nothing_to_do(k):
    low, high = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    images, index, _, scale, shift = drawn(2, 1, 3, 4, 4, np.uint8, np.float32)
    y = run(k, images, index, np.array([[low, 0, 0], [high, 0, 1], [0, low, 1], [0, high, 0]]), scale, shift)
    assert (y == np.float32(0) * scale + shift).all()
    for M, C, H, W, N in ((0, 1, 3, 3, 0), (2, 1, 3, 3, 0), (2, 0, 3, 3, 2), (2, 1, 0, 3, 2), (2, 1, 3, 0, 2)):
        one = np.ones(C, np.float32)
        run(k, np.zeros((M, C, H, W), np.uint8), np.zeros(N, int), np.ones((N, 3), int), one, one)


def test_it_stays_in_its_arrays():
    images, index, move, scale, shift = drawn(3, 2, 5, 6, 60, np.uint8, np.float32)
    fence, inside = guarded(images.shape, np.uint8)
    inside[...] = images
    edge, y = guarded((60, 2, 5, 6), np.float32)
    OPS["cpu"].gather_augment(inside, index, move, scale, shift, y)
    same_bits(y, run(OPS["reference"], images, index, move, scale, shift))
    assert (fence == 0xFF).all()
    assert (edge == 0xFF).all()


def test_door():
    k, (images, index, move, scale, shift) = OPS["cpu"], drawn(2, 1, 3, 4, 5, np.uint8, np.float32)
    for wrong in ({"move": move[:4]}, {"move": move[:, :2]}, {"images": images[:, :, 0]}):
        with pytest.raises(ShapeError):
            run(k, **{"images": images, "index": index, "move": move, "scale": scale, "shift": shift} | wrong)
    with pytest.raises(DtypeError):
        run(k, images, index, move.astype(np.float32), scale, shift)


def split_of(n, shape=(6, 5)):
    x = np.random.default_rng(0).integers(1, 256, (n, *shape), np.uint8)  # no 0, so what comes in can be told
    return Split("train", x, np.arange(n))


def pictures(batches, epoch, start=0):
    """x by sample number."""
    return {
        int(label): picture.copy() for x, y in batches.epoch(epoch, start) for picture, label in zip(x, y, strict=True)
    }


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_pictures_are_those_of_the_op_with_the_epochs_moves(backend):
    split, augment = split_of(70, (3, 6, 5)), Augment(2, flip=True)
    batches = Batches(split, 16, augment=augment, backend=backend, scale=(1.0, 2.0, 3.0), shift=(0.0, 1.0, 2.0))
    moves, seen = batches.moves(3), pictures(batches, 3)
    assert sorted(seen) == list(range(70))
    y = np.empty((70, 3, 6, 5), np.float32)
    by_padding(split.x, np.arange(70), moves, np.array([1, 2, 3], "f"), np.array([0, 1, 2], "f"), y)
    same_bits(np.stack([seen[n] for n in range(70)]), y)


def test_a_samples_picture_depends_on_seed_epoch_and_sample_alone():
    def made(n=4100, size=64, seed=1, **settings):
        return Batches(split_of(4100), size, seed=seed, augment=Augment(2, flip=True), **settings)

    first = pictures(made(), 5)
    for other in (made(size=7), made(shuffle=False), made(drop_last=True)):
        found = pictures(other, 5)
        assert len(found) >= 4096
        assert all((found[n] == first[n]).all() for n in found)
    resumed = pictures(made(), 5, start=60)
    assert all((resumed[n] == first[n]).all() for n in resumed)
    for other in (made(seed=2).moves(5), made().moves(6)):
        assert 0.9 < (other != made().moves(5)).any(1).mean() < 1  # 1 in 50 happens to be the same
    few = np.empty((3000, 3), np.int64)
    Augment(2, flip=True).draw(1, 5, few)
    np.testing.assert_array_equal(few, made().moves(5)[:3000])


def test_moves_are_what_they_always_were():
    """A resumed run must meet the same pictures."""
    moves = np.empty((4, 3), np.int64)
    Augment(2, flip=True).draw(0, 0, moves)
    assert moves.tolist() == [[-1, 0, 0], [-2, 2, 0], [1, -2, 0], [-2, 1, 1]]


def test_every_move_is_drawn_equally_often():
    moves = np.empty((60_000, 3), np.int64)
    Augment(1, flip=True).draw(0, 0, moves)
    kinds, counts = np.unique(moves, axis=0, return_counts=True)
    assert kinds.tolist() == [[i, j, m] for i in (-1, 0, 1) for j in (-1, 0, 1) for m in (0, 1)]
    expected = 60_000 / 18
    assert ((counts - expected) ** 2 / expected).sum() < 40.8  # chi², 17 degrees of freedom: one seed in 1,000
    without = np.empty_like(moves)
    Augment(1).draw(0, 0, without)
    np.testing.assert_array_equal(without[:, :2], moves[:, :2])
    assert not without[:, 2].any()


def test_no_shift_and_the_largest():
    plain, none = Batches(split_of(50), 8), Batches(split_of(50), 8, augment=Augment(0))
    assert all((a == b).all() for (a, _), (b, _) in zip(plain.epoch(1), none.epoch(1), strict=True))
    assert plain.moves(0) is None
    largest = Batches(split_of(500), 50, augment=Augment(4))  # of pictures five wide: one column stays
    seen = np.stack(list(pictures(largest, 0).values()))
    assert (seen != 0).any((1, 2, 3)).all()
    assert (np.abs(largest.moves(0)[:, :2]) == 4).all(1).any()


def test_flips_of_flips():
    split = split_of(40)
    batches = Batches(split, 8, shuffle=False, scale=1.0, augment=Augment(0, flip=True))
    mirrored = batches.moves(0)[:, 2].astype(bool)
    seen = np.stack(list(pictures(batches, 0).values())).astype(np.uint8)
    assert 5 < mirrored.sum() < 35
    np.testing.assert_array_equal(seen[mirrored, 0], split.x[mirrored, :, ::-1])
    twice = Batches(Split("train", seen[:, 0], split.y), 8, shuffle=False, scale=1.0, augment=Augment(0, flip=True))
    np.testing.assert_array_equal(np.stack(list(pictures(twice, 0).values()))[:, 0], split.x)


def test_flatten_and_float_samples():
    split = split_of(20)
    flat = Batches(split, 6, augment=Augment(2), flatten=True)
    floats = Batches(Split("train", split.x.astype("float64"), split.y), 6, augment=Augment(2), dtype="float64")
    assert all(x.shape == (len(y), 30) for x, y in flat.epoch(0))
    a, b = pictures(flat, 0), pictures(floats, 0)
    assert all(np.allclose(a[n], b[n].reshape(-1)) for n in range(20))


@pytest.mark.parametrize(
    ("shape", "augment", "words"),
    [
        ((7,), Augment(2), "only pictures"),
        ((6, 5), Augment(5), "out of sight"),
        ((3, 4, 9), Augment(4), "out of sight"),
        ((6, 5), 2, "wrong augmentation"),
    ],
)
def test_what_cannot_be_augmented(shape, augment, words):
    with pytest.raises(DataError, match=words):
        Batches(split_of(20, shape), 4, augment=augment)


@pytest.mark.parametrize("settings", [{"shift": -1}, {"shift": 1.5}, {"shift": True}, {"shift": "2"}, {"flip": 1}])
def test_settings_without_meaning(settings):
    with pytest.raises(DataError, match="Augment's"):
        Augment(**settings)


def test_the_repr_is_the_source():
    for augment in (Augment(), Augment(3), Augment(flip=True)):
        assert eval(repr(augment)) == augment


def test_two_epochs_at_once_do_not_meddle():
    batches = Batches(split_of(64), 8, augment=Augment(2))
    alone = [pictures(batches, e) for e in range(3)]
    together = list(zip(*(batches.epoch(e) for e in range(3)), strict=True))
    for step in together:
        for e, (x, y) in enumerate(step):
            assert all((picture == alone[e][label]).all() for picture, label in zip(x, y.tolist(), strict=True))


def test_steady_state_allocates_nothing_large():
    batches = Batches(split_of(4000, (28, 28)), 128, augment=Augment(2, flip=True))
    for epoch in range(2):
        pictures(batches, epoch)
    tracemalloc.start()
    try:
        largest = max(x.nbytes for x, _ in batches.epoch(2))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 65_536 < largest
