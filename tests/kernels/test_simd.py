"""The vector type, intrinsic by intrinsic, against NumPy."""

import numba  # noqa: TID251
import numpy as np
import pytest

from scratchnet_kernels.cpu import simd
from scratchnet_kernels.cpu.simd import (
    lanes,
    memory,
    rbroadcast,
    register_lanes,
    reven,
    rlanes,
    rlargest,
    rload,
    rload_n,
    rload_range,
    rodd,
    rrelu,
    rroute,
    rstore_place,
    rstore_range,
    rzero,
    turn,
    vadd,
    vbroadcast,
    vfma,
    vload,
    vload_n,
    vstore,
    vstore_n,
    vsum,
    vzero,
)

pytestmark = pytest.mark.parametrize("dtype", [np.float32, np.float64])

# Not cached: Numba's cache does not notice a change in the intrinsics that a function calls.


@numba.njit
def count_lanes(x):
    return lanes(x)


@numba.njit
def copy(x, i, out, o):
    vstore(out, o, vload(x, i))


@numba.njit
def copy_first(x, i, out, o, read, written):
    vstore_n(out, o, vload_n(x, i, read), written)


@numba.njit
def arithmetic(x, y, z, spread, out):
    n = lanes(x)
    vstore(out, 0, vadd(vload(x, 0), vload(y, 0)))
    vstore(out, n, vfma(vload(x, 0), vload(y, 0), vload(z, 0)))
    vstore(out, 2 * n, vbroadcast(x, spread))
    vstore(out, 3 * n, vzero(x))


@numba.njit
def total(x, i):
    return vsum(vload(x, i))


@numba.njit
def registers(x, y, i, low, high, out):
    n = rlanes(x)
    p = memory(x)
    vstore(out, 0, rload(x, i))
    vstore(out, n, rload_n(x, i, high))
    vstore(out, 2 * n, rload_range(p, i, low, high))
    vstore(out, 3 * n, rbroadcast(p, i))
    vstore(out, 4 * n, rzero(p))
    vstore(out, 5 * n, reven(rload(x, 0), rload(y, 0)))
    vstore(out, 6 * n, rodd(rload(x, 0), rload(y, 0)))
    vstore(out, 7 * n, rrelu(rload(x, 0)))
    rstore_range(memory(out), 8 * n, rload(x, 0), low, high)


@numba.njit
def pool(q, y, at, low, high):
    n = rlanes(q)
    largest = rlargest(rload(q, 0), rload(q, n), rload(q, 2 * n), rload(q, 3 * n))
    vstore(y, 0, largest)
    rstore_place(at, 0, largest, rload(q, 0), rload(q, n), rload(q, 2 * n), rload(q, 3 * n), low, high)


@numba.njit
def route(at, i, place, dy, n, out):
    vstore(out, 0, rroute(at, i, place, rload(dy, 0), n))


@numba.njit
def transpose(x, start, row, height, width, out, begin, column):
    turn(memory(x), start, row, height, width, memory(out), begin, column)


@numba.njit
def element(x, i):
    return memory(x)[i]


def width(dtype):
    return count_lanes(np.zeros(1, dtype))


def test_lanes(dtype):
    assert width(dtype) == simd.VECTOR_BYTES // np.dtype(dtype).itemsize
    assert simd.VECTOR_BYTES in (16, 32, 128)


def test_load_and_store_at_any_offset(dtype):
    L = width(dtype)
    x = np.arange(3 * L, dtype=dtype)
    for i in (0, 1, L, 2 * L - 1):
        out = np.full(3 * L, -1, dtype)
        copy(x, i, out, i)
        expected = np.full(3 * L, -1, dtype)
        expected[i : i + L] = x[i : i + L]
        np.testing.assert_array_equal(out, expected)


def test_partial_load_gives_zeros_and_partial_store_touches_nothing_else(dtype):
    L = width(dtype)
    x = np.arange(1, 2 * L + 1, dtype=dtype)
    for n in range(L + 1):
        x_n = x.copy()
        x_n[1 + n :] = np.nan  # what lies beyond must not be seen
        out = np.full(2 * L, -1, dtype)
        copy_first(x_n, 1, out, 1, n, L)
        np.testing.assert_array_equal(out[1 : L + 1], np.where(np.arange(L) < n, x[1 : L + 1], 0))
        out = np.full(2 * L, -1, dtype)
        copy_first(x, 1, out, 1, L, n)
        expected = np.full(2 * L, -1, dtype)
        expected[1 : 1 + n] = x[1 : 1 + n]
        np.testing.assert_array_equal(out, expected)


def test_partial_load_at_the_end_of_an_array(dtype):
    L = width(dtype)
    x = np.arange(1, L + 1, dtype=dtype)
    out = np.empty(L, dtype)
    copy_first(x, L - 1, out, 0, 1, L)
    np.testing.assert_array_equal(out, [L] + [0] * (L - 1))


def test_arithmetic(dtype):
    L = width(dtype)
    rng = np.random.default_rng(0)
    x, y, z = rng.integers(-9, 10, (3, L)).astype(dtype)  # so small that no rounding happens
    for lane, special in enumerate([(np.nan, 1, 0), (np.inf, 0, 1), (np.inf, -1, np.inf), (-0.0, 0, -0.0)][:L]):
        x[lane], y[lane], z[lane] = special
    out = np.empty(4 * L, dtype)
    for spread in range(L):
        arithmetic(x, y, z, spread, out)
        with np.errstate(invalid="ignore"):
            expected = [x + y, x * y + z, np.full(L, x[spread]), np.zeros(L)]
        np.testing.assert_array_equal(out.reshape(4, L), expected)


def test_sum_counts_every_lane_once(dtype):
    L = width(dtype)
    x = (2.0 ** np.arange(L) % 8191).astype(dtype)  # sums of whole numbers below 2²⁴ are exact
    assert total(x, 0) == x.sum()
    for i in range(L):
        one = np.zeros(L, dtype)
        one[i] = 3
        assert total(one, 0) == 3
        one[i] = np.nan
        assert np.isnan(total(one, 0))
        one[i] = -np.inf
        assert total(one, 0) == -np.inf


def test_an_address_stands_for_its_array(dtype):
    x = np.arange(9, dtype=dtype)
    assert [element(x, i) for i in range(9)] == list(range(9))
    assert element(x[3:], 0) == 3


def test_registers(dtype):
    L = register_lanes(np.dtype(dtype))
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 2 * L)).astype(dtype)
    x[0], x[1] = np.nan, -0.0
    lane = np.arange(L)
    both = np.concatenate([x[:L], y[:L]])
    for i in (0, 1, L):
        for low, high in ((0, L), (0, 0), (1, L - 1), (-3, 2), (1, L + 9), (L - 1, 1), (L, L)):
            out = np.full(9 * L, -7, dtype)
            registers(x, y, i, low, high, out)
            here = x[i : i + L]
            between = (lane >= low) & (lane < high)
            expected = [
                here,
                np.where(lane < high, here, 0),
                np.where(between, here, 0),
                np.full(L, here[0]),
                np.zeros(L),
                both[::2],
                both[1::2],
                np.where(x[:L] <= 0, 0, x[:L]),
                np.where(between, x[:L], -7),
            ]
            np.testing.assert_array_equal(out.reshape(9, L), expected)


@pytest.mark.parametrize("places", [np.uint8, np.int32])
def test_the_largest_of_four_and_its_place(dtype, places):
    L = register_lanes(np.dtype(dtype))
    rng = np.random.default_rng(2)
    for _ in range(40):
        q = rng.integers(-3, 3, (4, L)).astype(dtype)  # full of ties
        q[rng.random((4, L)) < 0.1] = np.nan
        q[rng.random((4, L)) < 0.1] = np.inf
        low, high = sorted(rng.integers(0, L + 1, 2))
        y, at = np.empty(L, dtype), np.full(L, 77, places)
        pool(q.reshape(-1), y, at, low, high)
        largest = np.max(q, axis=0)  # NaN where one is
        np.testing.assert_array_equal(y, largest)
        lane = np.arange(L)
        place = np.where(largest > 0, np.argmax(q == largest, axis=0), 4)
        np.testing.assert_array_equal(at, np.where((lane >= low) & (lane < high), place, 77))


def test_routing_picks_the_lanes_of_one_place(dtype):
    L = register_lanes(np.dtype(dtype))
    rng = np.random.default_rng(3)
    at = rng.integers(0, 5, 2 * L).astype(np.uint8)
    dy = rng.normal(size=L).astype(dtype)
    dy[0] = np.nan
    for place in range(4):
        for n in (0, 1, L):
            out = np.empty(L, dtype)
            route(at, 1, place, dy, n, out)
            np.testing.assert_array_equal(out, np.where((at[1 : L + 1] == place) & (np.arange(L) < n), dy, 0))


def test_turn_transposes_a_block_and_touches_nothing_else(dtype):
    L = register_lanes(np.dtype(dtype))
    x = np.arange(1, (L + 1) * (L + 3) + 1, dtype=dtype).reshape(L + 1, L + 3)
    for height in (0, 1, L - 1, L):
        for width in (0, 1, L - 1, L):
            out = np.full((L + 2, L + 5), -1, dtype)
            transpose(x.reshape(-1), 2, L + 3, height, width, out.reshape(-1), L + 6, L + 5)
            expected = np.full((L + 2, L + 5), -1, dtype)
            expected[1 : 1 + width, 1 : 1 + height] = x[:height, 2 : 2 + width].T
            np.testing.assert_array_equal(out, expected)
