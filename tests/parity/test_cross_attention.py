"""Cross-attention against PyTorch, on both backends: forward, both gradients of x, parameter gradients, masks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import MultiHeadAttention, Network, QueryMemory
from scratchnet.core.types import map_leaves

from .test_sequence import TOLERANCE, close, drawn_mask, every_backend, every_dtype, seeds

torch = pytest.importorskip("torch", reason="parity needs PyTorch: pip install 'scratchnet[parity]'")


def compare_with_twin(layer, x, backend, dtype, mask):
    """One forward and backward of both under a random cotangent, PyTorch's in float64."""
    rng = np.random.default_rng(3)
    side = {} if mask is None else {"mask": mask}
    net = Network([layer], map_leaves(lambda a: a.shape[1:], x), backend=backend, dtype=dtype)
    for view in net.parameters.views.values():
        view += (0.3 * rng.normal(size=view.shape)).astype(dtype)
    y, tape = net.forward(x, training=True, **side)
    dy = rng.normal(size=y.shape).astype(dtype)
    dx = net.backward(dy, tape, need_dx=True)

    D = x.query.shape[2]
    theirs = torch.nn.MultiheadAttention(D, layer.heads, bias=layer.bias, batch_first=True, dtype=torch.float64)
    names = {"0.in_proj.W": theirs.in_proj_weight, "0.out_proj.W": theirs.out_proj.weight}
    if layer.bias:
        names |= {"0.in_proj.b": theirs.in_proj_bias, "0.out_proj.b": theirs.out_proj.bias}
    assert names.keys() == net.parameters.views.keys()
    with torch.no_grad():
        for name, parameter in names.items():
            parameter.copy_(torch.tensor(np.array(net.parameters.views[name])))
    query, memory = (torch.tensor(a.astype(np.float64), requires_grad=True) for a in x)
    padding = None if mask is None else torch.tensor(~mask)
    ty, _ = theirs(query, memory, memory, key_padding_mask=padding, need_weights=False)
    ty.backward(torch.tensor(dy.astype(np.float64)))

    close(y, ty, TOLERANCE[dtype])
    assert type(dx) is QueryMemory
    close(dx.query, query.grad, TOLERANCE[dtype])
    close(dx.memory, memory.grad, TOLERANCE[dtype])
    for name, parameter in names.items():
        close(net.gradients.views[name], parameter.grad, TOLERANCE[dtype])


@every_backend
@every_dtype
@given(seed=seeds, data=st.data())
def test_cross_attention(backend, dtype, seed, data):
    rng = np.random.default_rng(seed)
    heads = data.draw(st.integers(1, 4), "heads")
    N, Tq, Tk = (data.draw(st.integers(1, 6)) for _ in range(3))
    D = heads * data.draw(st.integers(1, 5))
    mask = drawn_mask(rng, N, Tk) if data.draw(st.booleans(), "mask") else None
    layer = MultiHeadAttention(heads, bias=data.draw(st.booleans(), "bias"))
    x = QueryMemory(*(rng.normal(size=(N, T, D)).astype(dtype) for T in (Tq, Tk)))
    compare_with_twin(layer, x, backend, dtype, mask)


@every_dtype
@pytest.mark.parametrize(("Tq", "Tk"), [(61, 37), (29, 70)])
def test_cross_attention_on_threads(Tq, Tk, dtype):
    """Large enough for the parallel kernels, sizes that no tile divides, and leaves and mask that are strided views."""
    rng = np.random.default_rng(0)
    query = rng.normal(size=(Tq, 57, 5)).astype(dtype).transpose(2, 0, 1)
    memory = rng.normal(size=(5, 2 * Tk, 57)).astype(dtype)[:, ::-2]
    mask = drawn_mask(rng, 5, 2 * Tk)[:, ::2]
    compare_with_twin(MultiHeadAttention(3), QueryMemory(query, memory), "cpu", dtype, mask)
