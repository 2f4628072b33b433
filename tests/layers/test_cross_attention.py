"""Cross-attention: what it shares with self-attention, what a mask hides, its place in composites, its refusals."""

import numpy as np
import pytest

from scratchnet import MultiHeadAttention, Network, Parallel, QueryMemory, Residual
from scratchnet.core import ConfigError, Sequential, ShapeError
from scratchnet.core.types import map_leaves

every_backend = pytest.mark.parametrize("backend", ["reference", "cpu"])
shapes = QueryMemory(query=(4, 6), memory=(5, 6))
rng = np.random.default_rng(1)
x = QueryMemory(rng.normal(size=(3, 4, 6)), rng.normal(size=(3, 5, 6)))


def make(layer, in_shape=shapes, backend="reference"):
    net = Network([layer], in_shape, backend=backend, dtype="float64")
    for name, view in net.parameters.views.items():  # the same for layers that have the same names
        view[...] = np.random.default_rng(len(name)).normal(size=view.shape) / 2
    return net


def step(net, x, dy=None, **side):
    """(y, dx, gradients) of one step."""
    y, tape = net.forward(x, training=True, **side)
    dx = net.backward(np.cos(y) if dy is None else dy, tape, need_dx=True)
    return y, dx, net.gradients.snapshot()


@every_backend
def test_a_sequence_that_asks_itself(backend):
    """The same parameters, y and gradients as self-attention, whose dx is the sum of the two."""
    mask = np.array([[True] * 4, [True, False, True, False], [False] * 4])
    alone = step(make(MultiHeadAttention(2), (4, 6), backend), x.query, mask=mask)
    net = make(MultiHeadAttention(2), QueryMemory((4, 6), (4, 6)), backend)
    y, dx, g = step(net, QueryMemory(x.query, x.query), mask=mask)
    np.testing.assert_allclose(y, alone[0], rtol=1e-12)
    np.testing.assert_allclose(dx.query + dx.memory, alone[1], rtol=1e-10, atol=1e-12)
    assert not np.shares_memory(dx.query, dx.memory)
    for name in g:
        np.testing.assert_allclose(g[name], alone[2][name], rtol=1e-10, atol=1e-12)


@every_backend
def test_the_mask_is_the_memorys(backend):
    mask = np.array([[True, False, True, True, False], [False] * 5, [True] * 5])
    net = make(MultiHeadAttention(3), backend=backend)
    y, dx, _ = step(net, x, mask=mask)
    y, dx = y.copy(), map_leaves(np.copy, dx)
    np.testing.assert_array_equal(y[1], np.tile(net.parameters.views["0.out_proj.b"], (4, 1)))  # sees nothing
    assert not dx.memory[~mask].any()
    assert not dx.query[1].any()
    assert dx.query[[0, 2]].all()
    assert dx.memory[mask].all()
    other = step(net, x._replace(memory=np.where(mask[..., None], x.memory, 7.0)), mask=mask)
    np.testing.assert_allclose(other[0], y, rtol=1e-12)
    with pytest.raises(ShapeError, match=r"layer 0, op attention, mask[\s\S]*5"):
        net.forward(x, training=True, mask=np.ones((3, 4), bool))


@every_backend
@pytest.mark.parametrize(
    "layer",
    [
        Parallel(MultiHeadAttention(2), MultiHeadAttention(3), MultiHeadAttention(1), combine="sum"),
        Residual(MultiHeadAttention(2), MultiHeadAttention(3)),
        Sequential(Parallel(MultiHeadAttention(3), axis=2)),
    ],
    ids=repr,
)
def test_branches_add_dx_leaf_by_leaf(layer, backend):
    net = make(layer, backend=backend)
    dy = rng.normal(size=(3, *net.output_shape))
    y, dx, _ = step(net, x, dy)
    ys, dxs = [], []
    prefixes = {name.rpartition(".in_proj")[0] for name in net.parameters.views if "in_proj" in name}
    for prefix in prefixes:
        parts = prefix.split(".")[1:]
        branch = layer
        for part in parts:
            branch = dict(branch.children())[part]
        one = make(branch)
        one.parameters.load({name: net.parameters.views[prefix + name[1:]] for name in one.parameters.views})
        of_one = step(one, x, dy)
        ys.append(of_one[0])
        dxs.append(of_one[1])
    np.testing.assert_allclose(y, sum(ys), rtol=1e-10, atol=1e-12)
    assert type(dx) is QueryMemory
    for leaf in QueryMemory._fields:
        np.testing.assert_allclose(
            getattr(dx, leaf), sum(getattr(d, leaf) for d in dxs), rtol=1e-10, atol=1e-12, err_msg=leaf
        )


def test_an_empty_batch_is_as_good_as_any():
    layer = MultiHeadAttention(2)
    for backend in ("reference", "cpu"):
        net = make(layer, backend=backend)
        _, tape = net.forward(x, training=True)
        none = map_leaves(lambda a: a[:0], x)
        y, saved = tape.run.call("0", layer.forward, net.k, net.views, none)
        assert y.shape == (0, 4, 6)
        dx = tape.run.call("0", layer.backward, net.k, net.views, net.gradients.views, saved, y, need_dx=True)
        assert map_leaves(np.shape, dx) == QueryMemory((0, 4, 6), (0, 5, 6))


@pytest.mark.parametrize(
    ("in_shape", "says"),
    [
        (QueryMemory((4, 6), (5, 4)), ["memory of 6 features", "4 features", "layer 0"]),
        (QueryMemory((4, 6), (6,)), ["(N, T, D)", "('N', 6)"]),
        (QueryMemory((4, 5), (4, 5)), ["heads=2", "5 features"]),
        (QueryMemory((4, 6), (0, 6)), ["T >= 1", "('N', 0, 6)"]),
    ],
)
def test_shapes_that_do_not_fit(in_shape, says):
    with pytest.raises(ShapeError) as caught:
        Network([MultiHeadAttention(2)], in_shape)
    for part in says:
        assert part in str(caught.value)


def test_causal_has_no_meaning_between_two_sequences():
    with pytest.raises(ConfigError, match=r"no common order[\s\S]*layer 0[\s\S]*causal=True[\s\S]*causal=False"):
        Network([MultiHeadAttention(2, causal=True)], shapes)
