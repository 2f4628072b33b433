"""Reshapes: views exactly where NumPy can make them, errors that say what would fit."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scratchnet import Network
from scratchnet.core.errors import ConfigError, ShapeError
from scratchnet.layers._reshaped import is_view
from scratchnet.layers.flatten import Flatten
from scratchnet.layers.log_softmax import LogSoftmax
from scratchnet.layers.reshape import Reshape
from scratchnet.layers.softmax import Softmax


@st.composite
def array_and_shape(draw):
    """An array of any strides, and another shape with as many elements."""
    shape = draw(st.lists(st.sampled_from([1, 2, 3, 4]), min_size=0, max_size=4))
    steps = [draw(st.sampled_from([1, 1, 2, -1])) for _ in shape]
    base = np.zeros([n * abs(s) for n, s in zip(shape, steps, strict=True)])
    x = base[(..., *(slice(None, None, s) for s in steps))]  # with "...", a view even of no axes
    x = x.transpose(draw(st.permutations(range(x.ndim))))
    factors = draw(st.permutations([f for n in shape for f in {4: [2, 2]}.get(n, [n])] + [1]))
    new = [1]
    for factor in factors:
        if draw(st.booleans()):
            new[-1] *= factor
        else:
            new.append(factor)
    return x, tuple(new)


@settings(max_examples=400)
@given(array_and_shape())
@example((np.zeros((4, 3, 2))[::2], (2, 6)))  # a view, though not contiguous
@example((np.zeros((4, 3, 2))[:, ::2], (8, 2)))  # no view
def test_is_view_says_what_numpy_does(drawn):
    x, shape = drawn
    assert is_view(x, shape) == np.shares_memory(x, x.reshape(shape))


@pytest.mark.parametrize("layer", [Flatten(), Reshape(6, 4)])
def test_a_contiguous_array_is_not_copied(layer):
    net = Network(layer, (2, 3, 4))
    x = np.zeros((5, 2, 3, 4), np.float32)
    y, tape = net.forward(x, training=True)
    assert np.shares_memory(x, y)
    dy = np.ones_like(y)
    dx = net.backward(dy, tape, need_dx=True)
    assert np.shares_memory(dy, dx)
    assert net.pool.made == 0


@pytest.mark.parametrize("layer", [Flatten(), Reshape(6, 4), Softmax(2), LogSoftmax(-3)])
def test_a_strided_array_costs_no_new_memory_in_steady_state(layer):
    net = Network(layer, (2, 3, 4))
    x = np.zeros((5, 4, 3, 2), np.float32).transpose(0, 3, 2, 1)
    for step in range(4):
        y, tape = net.forward(x, training=True)
        net.backward(np.ones((2 * 5, *y.shape[1:]), np.float32)[::2], tape, need_dx=True)
        if step == 1:
            made = net.pool.made
    assert net.pool.made == made


@pytest.mark.parametrize("written", [(2, 3), ((2, 3),), ([2, 3],)])
def test_both_ways_to_write_a_shape(written):
    assert Reshape(*written) == Reshape((2, 3))
    assert repr(Reshape(*written)) == "Reshape((2, 3))"


def test_what_is_left():
    assert Reshape(2, -1).out_shape((3, 4)) == (2, 6)
    assert Reshape(-1).out_shape((3, 4)) == (12,)
    assert Reshape().out_shape((1, 1)) == ()


@pytest.mark.parametrize("shape", [(0, 3), (-2,), (1.5,), ("2",), (-1, -1)])
def test_no_shape(shape):
    with pytest.raises(ConfigError, match="Reshape"):
        Reshape(*shape)


@pytest.mark.parametrize("shape", [(5,), (5, -1), (7, -1)])
def test_another_number_of_elements(shape):
    with pytest.raises(ShapeError, match="12, of shape"):
        Network(Reshape(*shape), (3, 4))


@pytest.mark.parametrize("cls", [Softmax, LogSoftmax])
def test_softmax_never_mixes_samples(cls):
    with pytest.raises(ConfigError, match="do not mix"):
        cls(0)
    for axis in (-3, 3, -4):  # the batch axis counted from the end, and axes that are not there
        with pytest.raises(ShapeError, match=f"an axis {axis}"):
            Network(cls(axis), (3, 4))


@pytest.mark.parametrize("layer", [Flatten(), Reshape(6, 4), Softmax(2), LogSoftmax(-3)])
@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_an_empty_batch_is_as_good_as_any(layer, backend):
    net = Network(layer, (2, 3, 4), backend=backend)
    x = np.zeros((0, 2, 3, 4), np.float32)
    _, tape = net.forward(np.zeros((1, 2, 3, 4), np.float32), training=True)
    y, saved = tape.run.call("0", layer.forward, net.k, net.views, x)
    assert y.shape == (0, *layer.out_shape((2, 3, 4)))
    dx = tape.run.call("0", layer.backward, net.k, net.views, net.gradients.views, saved, y, need_dx=True)
    assert dx.shape == x.shape
