"""The products on tiles at every size about a tile's, and the pieces of pooling and of sums over planes."""

import numpy as np
import pytest
from numba import njit  # noqa: TID251  (what is tested can be called from compiled code only)

from scratchnet_kernels.cpu import _planes
from scratchnet_kernels.cpu._conv_rows import columns, rows_product
from scratchnet_kernels.cpu._dots import dots
from scratchnet_kernels.cpu._pairs import store_every_second, store_pairs
from scratchnet_kernels.cpu.simd import VECTOR_BYTES, register_lanes, rload_n

kinds = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def drawn(shape, dtype):
    return np.random.default_rng(0).integers(-9, 10, shape).astype(dtype)


@kinds
@pytest.mark.parametrize("rows", [1, 3, 4, 5])
@pytest.mark.parametrize("columns", [1, 5, 6, 7, 73])
@pytest.mark.parametrize("depth", [0, 1, 31, 32, 33])
def test_dots(dtype, rows, columns, depth):
    """Whole numbers: exact. What lies behind a row, and what C holds beside the results, is NaN."""
    A, B = np.full((2, rows, depth + 2), np.nan, dtype), np.full((2, columns, depth + 3), np.nan, dtype)
    A[..., :depth], B[..., :depth] = drawn((2, rows, depth), dtype), drawn((2, columns, depth), dtype)
    C = np.full((rows + 1, columns + 2), np.nan, dtype)
    C[:rows, :columns] = 1
    B_row = np.arange(columns) * (depth + 3)
    dots(A.ravel(), 0, A[0].size, depth + 2, B.ravel(), 0, B[0].size, B_row, 2, depth, C.ravel(), 0, columns + 2,
         rows, columns)  # fmt: skip
    expected = 1 + np.einsum("nrk,nck->rc", A[..., :depth], B[..., :depth])
    np.testing.assert_array_equal(C[:rows, :columns], expected)
    assert np.isnan(C[rows:]).all()
    assert np.isnan(C[:, columns:]).all()


@kinds
@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("rows", [1, 4, 6])
@pytest.mark.parametrize(
    ("height", "width", "pitch"), [(1, 14, 16), (3, 16, 17), (5, 15, 15), (2, 40, 42), (7, 31, 33)]
)
def test_rows_product(dtype, with_bias, rows, height, width, pitch):
    """Two shifted views of an image at a pitch; what lies between its rows is NaN and comes into no result."""
    lanes = register_lanes(np.dtype(dtype))
    table = columns(height, width, pitch, lanes)
    assert table.shape[1] > 0
    W, bias = drawn((rows, 2), dtype), drawn(rows + 1, dtype)
    image = np.full(2 * height * pitch + lanes, np.nan, dtype)
    x = image[: 2 * height * pitch].reshape(2, height, pitch)
    x[..., :width] = drawn((2, height, width), dtype)
    C = np.full((rows + 1, height * width), np.nan, dtype)
    rows_product(W.ravel(), 0, 2, np.arange(2), image, 0, np.arange(2) * height * pitch, table,
                 C.ravel(), 0, height * width, rows, bias if with_bias else bias[:0], 1)  # fmt: skip
    expected = np.einsum("rk,khw->rhw", W, x[..., :width]).reshape(rows, -1)
    np.testing.assert_array_equal(C[:rows], expected + bias[1:, None] if with_bias else expected)
    assert np.isnan(C[rows]).all()


@njit
def _every_second(out, x, n):
    store_every_second(out, 1, rload_n(x, 0, n), n)


@njit
def _pairs(out, x, y, n):
    store_pairs(out, 1, rload_n(x, 0, n), rload_n(y, 0, n), n)


@kinds
def test_stores_of_every_second_element(dtype):
    """As many as asked for; nothing else is touched."""
    lanes = register_lanes(np.dtype(dtype))
    x, y = drawn(lanes, dtype), drawn(lanes, dtype) + 1
    for n in range(lanes + 1):
        for run, given in ((_every_second, (x,)), (_pairs, (x, y))):
            out, expected = np.full((2, 2 * lanes + 3), np.nan, dtype)
            run(out, *given, n)
            for offset, values in enumerate(given, start=1):
                expected[offset : offset + 2 * n : 2] = values[:n]
            np.testing.assert_array_equal(out, expected)


@kinds
def test_sums_over_planes(dtype):
    """Whole numbers: exact at every length; what lies behind is NaN."""
    lanes = VECTOR_BYTES // np.dtype(dtype).itemsize
    spread = np.zeros(_planes.ROWS * lanes, dtype)
    for row, value in enumerate((3.0, -2.0, 5.0, 7.0)):
        _planes.put(spread, row, value)
    for n in (1, lanes - 1, lanes, 2 * lanes, 2 * lanes + 1, 5 * lanes - 1):
        x, dy, out = np.full((3, n + 2), np.nan, dtype)
        x[1:-1], dy[1:-1] = drawn(n, dtype), drawn(n, dtype)[::-1]
        d, g = x[1:-1] + 3, dy[1:-1]
        assert _planes.shifted_sum(x, 1, n, spread, n) == d.sum()
        assert _planes.shifted_squares(x, 1, n, spread) == (d * d).sum()
        assert _planes.sum_and_product(x, dy, 1, n, spread, n) == (g.sum(), (g * d).sum())
        _planes.scaled_plane(x, 1, n, spread, out, n)
        np.testing.assert_array_equal(out, [np.nan, *(5 - 2 * d), np.nan])
        _planes.projected_plane(x, dy, 1, n, spread, out, n)
        np.testing.assert_array_equal(out, [np.nan, *(5 - 2 * d + 7 * g), np.nan])
