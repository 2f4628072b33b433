import numpy as np
import pytest

from scratchnet_kernels import DtypeError, ShapeError, get_backend

OPS = {name: get_backend(name).table() for name in ("reference", "cpu")}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("source", [np.uint8, np.int16, np.float32, np.float64, np.float16, ">i2"])
@pytest.mark.parametrize(("M", "C", "P", "N"), [(7, 1, 1, 1), (5, 3, 17, 9), (3, 2, 64, 0), (40, 1, 784, 33)])
def test_backends_agree_to_the_bit(M, C, P, N, source, dtype):
    rng = np.random.default_rng(0)
    images = rng.uniform(0, 255, (M, C, P)).astype(source)
    index = rng.integers(0, M, N)
    scale, shift = rng.normal(size=C).astype(dtype), rng.normal(size=C).astype(dtype)
    ys = []
    for k in OPS.values():
        ys.append(np.full((N, C, P), np.nan, dtype))
        k.gather_scale(images, index, scale, shift, ys[-1])
    assert (ys[0] == ys[1]).all()


@pytest.mark.parametrize("k", OPS.values(), ids=OPS)
def test_formula(k):
    images = np.arange(2 * 2 * 3, dtype=np.uint8).reshape(2, 2, 3)
    y = np.empty((3, 2, 3))
    k.gather_scale(images, np.array([1, 0, 1]), np.array([2.0, 10.0]), np.array([0.5, -1.0]), y)
    assert y[0].tolist() == [[12.5, 14.5, 16.5], [89, 99, 109]]
    assert y[1].tolist() == [[0.5, 2.5, 4.5], [29, 39, 49]]
    assert (y[2] == y[0]).all()


@pytest.mark.parametrize("k", OPS.values(), ids=OPS)
def test_nan_goes_through(k):
    images = np.full((1, 1, 4), np.nan, np.float32)
    y = np.zeros((1, 1, 4), np.float32)
    k.gather_scale(images, np.array([0]), np.zeros(1, np.float32), np.zeros(1, np.float32), y)
    assert np.isnan(y).all()


def test_door():
    k, one = OPS["cpu"], np.ones(1, np.float32)
    images = np.zeros((2, 1, 4), np.uint8)
    with pytest.raises(ShapeError):
        k.gather_scale(images, np.array([0]), one, one, np.empty((2, 1, 4), np.float32))
    with pytest.raises(DtypeError):
        k.gather_scale(images, np.array([0]), one, one, np.empty((1, 1, 4)))
    with pytest.raises(DtypeError):
        k.gather_scale(images, np.array([0.0]), one, one, np.empty((1, 1, 4), np.float32))
