"""Embedding against torch, on both backends, and indices that name no row."""

import numpy as np
import pytest

from scratchnet import Network
from scratchnet.core import ConfigError, ScratchnetError
from scratchnet.layers.embedding import Embedding

every_backend = pytest.mark.parametrize("backend", ["reference", "cpu"])


@every_backend
@pytest.mark.parametrize("padding", [None, 0, 3])
@pytest.mark.parametrize("shape", [(), (6,), (3, 4)])
@pytest.mark.parametrize("kind", ["int64", "int32", "uint8"])
def test_embedding(backend, padding, shape, kind):
    torch = pytest.importorskip("torch", reason="parity needs the extra `parity`")
    net = Network([Embedding(5, 3, padding)], shape, backend=backend, dtype="float64")
    rng = np.random.default_rng(2)
    x = rng.integers(0, 5, (4, *shape)).astype(kind)
    theirs = torch.nn.Embedding(5, 3, padding).double()
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor(net.parameters.views["0.W"]))
    if padding is not None:
        assert not net.parameters.views["0.W"][padding].any()
    y, tape = net.forward(x, training=True)
    dy = rng.normal(size=y.shape)
    assert net.backward(dy, tape, need_dx=True) is None
    their_y = theirs(torch.tensor(x.astype(np.int64)))
    their_y.backward(torch.tensor(dy))
    np.testing.assert_array_equal(y, their_y.detach().numpy())
    np.testing.assert_allclose(net.gradients.views["0.W"], theirs.weight.grad.numpy(), rtol=1e-13, atol=1e-14)


@every_backend
@pytest.mark.parametrize("bad", [-1, 5, 2**62, -(2**63)])
def test_an_index_out_of_range(backend, bad):
    net = Network([Embedding(5, 3)], (4,), backend=backend)
    x = np.zeros((3, 4), np.int64)
    x[1, 2] = x[2, 0] = bad
    with pytest.raises(ScratchnetError, match=r"x\[1, 2\]") as caught:
        net.forward(x, training=True)
    assert isinstance(caught.value, IndexError)
    assert f"{bad}\n" in f"{caught.value}\n"
    assert "0..4" in str(caught.value)
    assert "layer 0" in str(caught.value)


@every_backend
def test_unsigned_indices_do_not_wrap(backend):
    net = Network([Embedding(5, 3)], (), backend=backend)
    with pytest.raises(ScratchnetError, match=str(2**64 - 1)):
        net.forward(np.array([1, 2**64 - 1], np.uint64), training=True)


@every_backend
def test_indices_changed_before_the_backward_corrupt_nothing(backend):
    net = Network([Embedding(5, 3)], (2,), backend=backend)
    x = np.array([[0, 1]])
    y, tape = net.forward(x, training=True)
    x[0, 1] = 1_000_000_000
    with pytest.raises(ScratchnetError, match=r"x\[0, 1\]"):
        net.backward(np.ones_like(y), tape)
    assert not net.gradients.flat.any()


@pytest.mark.parametrize("make", [lambda: Embedding(0, 3), lambda: Embedding(4, 0), lambda: Embedding(4, 2, -1)])
def test_settings_without_meaning(make):
    with pytest.raises(ConfigError):
        make()
