"""Vectors over rows of any length, operation by operation, against NumPy."""

import numba  # noqa: TID251
import numpy as np
import pytest

from scratchnet_kernels.cpu.simd import (
    lanes,
    vload,
    vload_or,
    vmax,
    vmul,
    vpeak,
    vsplat,
    vstore,
    wload,
    wload_or,
    wstore,
    wstore_n,
)

pytestmark = pytest.mark.parametrize("dtype", [np.float32, np.float64])

# Not cached: Numba's cache does not notice a change in the intrinsics that a function calls.


@numba.njit
def count_lanes(x):
    return lanes(x)


@numba.njit
def load_or(x, i, n, other, out):
    vstore(out, 0, vload_or(x, i, n, vsplat(x, other)))


@numba.njit
def copy_wide(x, i, out, o):
    wstore(out, o, wload(x, i))


@numba.njit
def copy_first_wide(x, i, n, other, out, o, written):
    wstore_n(out, o, wload_or(x, i, n, vsplat(other, other[0])), written)


@numba.njit
def product_and_larger(x, y, out):
    n = lanes(x)
    vstore(out, 0, vmul(vload(x, 0), vload(y, 0)))
    vstore(out, n, vmax(vload(x, 0), vload(y, 0)))


@numba.njit
def peak(x, i):
    return vpeak(vload(x, i))


def width(dtype):
    return count_lanes(np.zeros(1, dtype))


def test_partial_load_over_another_vector(dtype):
    L = width(dtype)
    x = np.arange(1, L + 2, dtype=dtype)
    for n in range(L + 1):
        x_n, out = x.copy(), np.empty(L, dtype)
        x_n[1 + n :] = np.inf  # what lies beyond must not be seen
        load_or(x_n, 1, n, dtype(-7), out)
        np.testing.assert_array_equal(out, np.where(np.arange(L) < n, x[1:], -7))


def test_product_and_the_larger_of_two(dtype):
    L = width(dtype)
    rng = np.random.default_rng(0)
    x, y = rng.integers(-9, 10, (2, L)).astype(dtype)
    x[:4] = (np.nan, 1, np.inf, -np.inf)[:L]
    y[:4] = (2, np.nan, 0, -1)[:L]
    out = np.empty(2 * L, dtype)
    product_and_larger(x, y, out)
    with np.errstate(invalid="ignore"):
        expected = [x * y, np.where(x > y, x, y)]
    np.testing.assert_array_equal(out.reshape(2, L), expected)


def test_peak_looks_at_every_lane(dtype):
    L = width(dtype)
    x = -np.arange(1, L + 1, dtype=dtype)
    for i in range(L):
        one = x.copy()
        one[i] = 3
        assert peak(one, 0) == 3
    assert peak(x, 0) == -1
    assert peak(np.full(L, -np.inf, dtype), 0) == -np.inf


def test_wide_load_and_store_convert_and_round(dtype):
    L = width(np.float64)
    x = np.random.default_rng(0).normal(size=2 * L).astype(dtype)
    x[:3] = np.nan, np.inf, -0.0
    for i in (0, 1, L):
        wide, back = np.full(2 * L, -1.0), np.full(2 * L, -1, dtype)
        copy_wide(x, i, wide, i)
        np.testing.assert_array_equal(wide[i : i + L], x[i : i + L].astype(np.float64))
        copy_wide(wide, i, back, i)
        np.testing.assert_array_equal(back[i : i + L], x[i : i + L])
        assert (back == -1).sum() == L
    third = np.full(L, 1 / 3)
    copy_wide(third, 0, back, 0)
    assert (back[:L] == dtype(1 / 3)).all()


def test_partial_wide_load_and_store(dtype):
    L = width(np.float64)
    x, other = np.arange(1, 2 * L + 1, dtype=dtype), np.full(1, -7.0)
    for n in range(L + 1):
        x_n, wide = x.copy(), np.empty(L)
        x_n[1 + n :] = np.nan  # what lies beyond must not be seen
        copy_first_wide(x_n, 1, n, other, wide, 0, L)
        np.testing.assert_array_equal(wide, np.where(np.arange(L) < n, x[1 : L + 1], -7))
        out = np.full(2 * L, -1, dtype)
        copy_first_wide(x, 1, L, other, out, 1, n)
        expected = np.full(2 * L, -1, dtype)
        expected[1 : 1 + n] = x[1 : 1 + n]
        np.testing.assert_array_equal(out, expected)
