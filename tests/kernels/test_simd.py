"""The vector type, intrinsic by intrinsic, against NumPy."""

import numba  # noqa: TID251
import numpy as np
import pytest

from scratchnet_kernels.cpu import simd
from scratchnet_kernels.cpu.simd import (
    lanes,
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
    x[:4] = np.nan, np.inf, np.inf, -0.0
    y[:4] = 1, 0, -1, 0
    z[:4] = 0, 1, np.inf, -0.0
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
