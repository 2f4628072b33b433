"""The door: shapes and element types are checked in every mode, before a kernel sees them."""

import numpy as np
import pytest

from scratchnet_kernels import BackendError, DtypeError, ShapeError, get_backend
from scratchnet_kernels.op import OPS, op


@pytest.fixture(params=["reference", "cpu"])
def k(request):
    return get_backend(request.param).table()


def test_right_shapes_pass_and_kinds_may_be_given_by_keyword(k):
    x, W, y = np.ones((2, 3)), np.ones((4, 3)), np.empty((2, 4))
    k.dense(x, W, y=y, b=None)
    assert (y == 3).all()


@pytest.mark.parametrize("shape", [(4, 4), (4,), (4, 3, 1)])
def test_wrong_shapes_are_refused_by_name(k, shape):
    with pytest.raises(ShapeError, match=r"op dense, W[\s\S]*expected"):
        k.dense(np.ones((2, 3)), np.ones(shape), None, np.empty((2, 4)))


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.complex128])
def test_a_change_of_element_type_is_refused(k, dtype):
    with pytest.raises(DtypeError, match="op dense, W"):
        k.dense(np.ones((2, 3)), np.ones((4, 3), dtype), None, np.empty((2, 4)))


def test_what_passed_once_does_not_open_the_door_to_others(k):
    x, W, y = np.ones((2, 3)), np.ones((4, 3)), np.empty((2, 4))
    k.dense(x, W, None, y)
    with pytest.raises(ShapeError):
        k.dense(x, W, None, np.empty((2, 5)))
    with pytest.raises(DtypeError):
        k.dense(x, W, None, y.astype(np.float32))


def test_missing_arrays_are_refused(k):
    with pytest.raises(DtypeError, match="not an array"):
        k.dense(np.ones((2, 3)), None, None, np.empty((2, 4)))
    with pytest.raises(TypeError, match="takes"):
        k.dense(np.ones((2, 3)))


def test_an_unknown_op_suggests_the_nearest(k):
    with pytest.raises(BackendError, match="did you mean dense"):
        k.desne(1)


def test_a_declaration_must_name_its_arguments():
    with pytest.raises(TypeError, match="declared but is no array argument"):

        @op(x="N", z="N", out=("z",))
        def wrong(x, y): ...

    assert "wrong" not in OPS
