"""Philox against published numbers, the two backends against each other, and dropout's masks against chance."""

import importlib

import numpy as np
import pytest
from scipy.stats import binom

from scratchnet_kernels import get_backend
from scratchnet_kernels.cpu._philox import philox as compiled
from scratchnet_kernels.reference._philox import philox, random_words
from scratchnet_kernels.reference.dropout import limit

ONES = 0xFFFFFFFF
KNOWN = [  # (counter, key, random words), from the file kat_vectors of the authors' library Random123
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ONES, ONES, ONES, ONES), (ONES, ONES), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 17, 1023, 4099]
CHANCE = 1e-9  # of a false alarm in one bound on a binomial count


def masked(size=4000, number=1, key=(3, 5), rate=0.5, backend="cpu"):
    """Where dropout keeps the elements of a row of ones."""
    x, y, seen = np.ones(size), np.empty(size), np.empty(1, np.int64)
    get_backend(backend).table().dropout(x, np.array([number]), y, seen, key, rate)
    return y != 0


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_known_answers(counter, key, words):
    assert tuple(map(int, philox(counter, key))) == words
    assert tuple(map(int, compiled(*map(np.uint64, (*counter, *key))))) == words


def test_backends_agree_on_any_counter():
    rng = np.random.default_rng(0)
    for *counter, k0, k1 in rng.integers(0, 2**32, (200, 6)):
        expected = philox(tuple(counter), (int(k0), int(k1)))
        assert compiled(*map(np.uint64, (*counter, k0, k1))) == tuple(map(int, expected))


def test_element_i_is_word_i_mod_4_of_block_i_over_4():
    number, key = 2**40 + 7, (11, 13)
    words = random_words(11, number, key)
    for i, word in enumerate(words):
        block = philox((i // 4, 0, number % 2**32, number // 2**32), key)
        assert word == block[i % 4]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", SIZES)
def test_dropout_is_bit_equal_on_both_backends(size, dtype):
    rng = np.random.default_rng(size)
    wide = rng.normal(size=2 * size).astype(dtype)
    wide[::7], wide[1::11] = np.nan, np.inf
    for x, number, rate in ((wide[::2], 3, 0.3), (wide[:size], 2**33 + 1, 0.5), (wide[::-2], -1, 0.999)):
        results = []
        for name in ("reference", "cpu"):
            k, count = get_backend(name).table(), np.array([number])
            y, dx, seen = np.empty_like(x), np.empty(2 * size, dtype)[::2], np.empty(1, np.int64)
            with np.errstate(invalid="ignore"):  # a dropped infinity is no number
                k.dropout(x, count, y, seen, (7, 0xFFFFFFFF), rate)
                k.dropout_backward(seen, x, dx, (7, 0xFFFFFFFF), rate)
            assert seen[0] == number
            results += [y, dx]
        for result in results[1:]:
            np.testing.assert_array_equal(result, results[0])


@pytest.mark.parametrize("size", [1024, 1025, 2047, 9001])  # of one run, a part or two have none
def test_dropout_in_parts_draws_the_same(size, monkeypatch):
    whole = masked(size, rate=0.3)
    monkeypatch.setattr(
        importlib.import_module("scratchnet_kernels.cpu.dropout"), "threads_of_pass", lambda elements: 3
    )
    np.testing.assert_array_equal(masked(size, rate=0.3), whole)
    np.testing.assert_array_equal(whole, random_words(size, 1, (3, 5)) >= limit(0.3))


@pytest.mark.parametrize("rate", [0.0, 1e-9, 0.25, 0.5, 0.7, 1.0])
def test_an_element_is_kept_where_its_word_is_not_below_the_limit(rate):
    words = random_words(4000, 1, (3, 5)).astype(object)
    kept = np.array([word >= int(rate * 2**32) for word in words])
    for backend in ("reference", "cpu"):
        np.testing.assert_array_equal(masked(rate=rate, backend=backend), kept)


def test_limits():
    assert (limit(0.0), limit(0.5), limit(1.0)) == (0, 2**31, 2**32)
    assert masked(rate=0.0).all()
    assert not masked(rate=1.0).any()


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5, 0.9])
def test_the_share_of_kept_elements_is_binomial(seed, rate):
    n = 100_003
    kept = int(masked(n, key=(seed, 99), rate=rate).sum())
    low, high = binom.ppf([CHANCE / 2, 1 - CHANCE / 2], n, 1 - rate)
    assert low <= kept <= high


def test_seed_layer_forward_and_position_give_unrelated_masks():
    n = 10_000
    first = masked(n)
    others = {
        "seed": masked(n, key=(4, 5)),
        "layer": masked(n, key=(3, 6)),
        "swapped": masked(n, key=(5, 3)),
        "forward": masked(n, number=2),
        "late forward": masked(n, number=1 + 2**32),
        "next element": np.roll(first, 1),
        "next block": np.roll(first, 4),
    }
    low, high = binom.ppf([CHANCE / 2, 1 - CHANCE / 2], n, 0.5)
    for what, other in others.items():
        assert low <= int((first == other).sum()) <= high, what
    np.testing.assert_array_equal(first, masked(n))
    np.testing.assert_array_equal(first[:37], masked(37))  # and do not depend on the size


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_nan_is_not_swallowed(backend):
    x, y, seen = np.full(64, np.nan, np.float32), np.zeros(64, np.float32), np.empty(1, np.int64)
    get_backend(backend).table().dropout(x, np.array([1]), y, seen, (0, 0), 0.5)
    assert np.isnan(y).all()
