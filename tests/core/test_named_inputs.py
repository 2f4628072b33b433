"""x as a NamedTuple of arrays: the border, casting, dx of the same structure, plans, tapes, and who takes it."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest

from scratchnet import Dropout, MultiHeadAttention, Network, Parallel, QueryMemory, ReLU, Sequential, Tanh
from scratchnet.core import ConfigError, DtypeError, Layer, ParamSpec, ShapeError, Zeros
from scratchnet.core.types import map_leaves, named_leaves, structured

rng = np.random.default_rng(0)
every_backend = pytest.mark.parametrize("backend", ["reference", "cpu"])


class Words(NamedTuple):
    """Token ids, which have no gradient, and floats, which do."""

    tokens: object
    offset: object


class Empty(NamedTuple):
    pass


@dataclass(frozen=True, repr=False)
class Lookup(Layer):
    """y = W[tokens] + offset."""

    structures = (Words,)

    @property
    def in_kind(self):
        return Words("index", "float")

    def params(self, in_shape):
        return {"W": ParamSpec((5, in_shape.offset[-1]), Zeros())}

    def out_shape(self, in_shape):
        return in_shape.offset

    def forward(self, k, p, x, run):
        rows, y = run.empty(x.offset.shape, x.offset.dtype), run.empty(x.offset.shape, x.offset.dtype)
        k.embedding(x.tokens, p["W"], rows, None)
        k.add(rows, x.offset, y)
        return y, x.tokens

    def backward(self, k, p, g, saved, dy, run):
        k.embedding_backward(saved, dy, g["W"], None)
        return Words(None, dy) if run.need_dx else None


@dataclass(frozen=True, repr=False)
class Twice(Layer):
    """(query, memory) = (x, x)."""

    def out_shape(self, in_shape):
        return QueryMemory(in_shape, in_shape)

    def forward(self, k, p, x, run):
        return QueryMemory(x, x), None

    def backward(self, k, p, g, saved, dy, run):
        dx = run.empty(dy.query.shape, dy.query.dtype)
        k.add(dy.query, dy.memory, dx)
        return dx if run.need_dx else None


words = Words(rng.integers(0, 5, (4, 3)), rng.normal(size=(4, 3, 2)))
pair = QueryMemory(rng.normal(size=(3, 4, 6)).astype(np.float32), rng.normal(size=(3, 5, 6)).astype(np.float32))


def lookup(backend="reference", dtype="float64"):
    net = Network([Lookup(), Tanh()], Words((3,), (3, 2)), backend=backend, dtype=dtype)
    net.parameters.views["0.W"][...] = np.arange(10).reshape(5, 2) / 10
    return net


def cross(**settings):
    return Network([MultiHeadAttention(2)], QueryMemory((4, 6), (5, 6)), **({"backend": "reference"} | settings))


def test_the_helpers():
    assert structured(words)
    for leaf in (pair.query, (3, 4), [1, 2], None, "float"):
        assert not structured(leaf)
        assert named_leaves("x", leaf)["x"] is leaf
    assert map_leaves(lambda a, b: a + b, 1, 2) == 3
    assert map_leaves(lambda a, b, c: (a, b, c), Words(1, 2), Words(3, 4), 5) == Words((1, 3, 5), (2, 4, 5))
    assert type(map_leaves(abs, Words(-1, -2))) is Words
    shapes = Words((3,), (3, 2))  # another NamedTuple, or a plain tuple as long, is no companion
    assert map_leaves(lambda s, other: other, shapes, (7, 8)) == Words((7, 8), (7, 8))
    assert map_leaves(lambda s, other: other, shapes, pair).tokens is pair
    assert named_leaves("dx", Words(None, 1)) == {"dx.tokens": None, "dx.offset": 1}


@every_backend
def test_forward_and_dx_have_the_structure(backend):
    net = lookup(backend)
    W = net.parameters.views["0.W"]
    y, tape = net.forward(words, training=True)
    np.testing.assert_allclose(y, np.tanh(W[words.tokens] + words.offset), rtol=1e-12)
    dy = rng.normal(size=y.shape)
    dx = net.backward(dy, tape, keep=True, need_dx=True)
    inside = dy * (1 - y**2)
    assert type(dx) is Words
    assert dx.tokens is None
    np.testing.assert_allclose(dx.offset, inside, rtol=1e-12)
    expected = np.zeros((5, 2))
    np.add.at(expected, words.tokens, inside)
    np.testing.assert_allclose(net.gradients.views["0.W"], expected, rtol=1e-12)
    assert net.backward(dy, tape) is None
    assert tape.spent


@every_backend
def test_leaves_are_cast_one_by_one(backend):
    """Floats to the network's own, indices never; what fits already is not copied."""
    net, seen = lookup(backend, "float32"), []
    forward = Lookup.forward

    class Looks(Lookup):
        def forward(self, k, p, x, run):
            seen.append(x)
            return forward(self, k, p, x, run)

    net = Network([Looks()], Words((3,), (3, 2)), backend=backend)
    y, _ = net.forward(words, training=False)
    assert y.dtype == seen[0].offset.dtype == np.float32
    assert seen[0].tokens is words.tokens
    net.forward(words._replace(offset=words.offset.astype(np.float32)), training=False)
    net.forward(given := Words(words.tokens.astype(np.uint8), np.zeros((4, 3, 2), np.float32)), training=False)
    assert seen[2].offset is given.offset
    assert seen[2].tokens is given.tokens


@every_backend
def test_branches_add_the_leaves_that_have_a_gradient(backend):
    net = Network([Parallel(Lookup(), Lookup(), Lookup(), combine="sum")], Words((3,), (3, 2)), backend=backend)
    y, tape = net.forward(words, training=True)
    np.testing.assert_allclose(y, 3 * words.offset, rtol=1e-6)
    dx = net.backward(np.ones_like(y), tape, need_dx=True)
    assert dx.tokens is None
    np.testing.assert_array_equal(dx.offset, np.full((4, 3, 2), 3))
    with pytest.raises(ConfigError, match=r"one kind of input[\s\S]*Words\(tokens='index', offset='float'\)"):
        Parallel(Lookup(), MultiHeadAttention(2))


@every_backend
@pytest.mark.parametrize("batch_size", [1, 3, 1024])
def test_predict_cuts_every_leaf(backend, batch_size):
    net = lookup(backend)
    expected = np.tanh(net.parameters.views["0.W"][words.tokens] + words.offset)
    np.testing.assert_allclose(net.predict(words, batch_size=batch_size), expected, rtol=1e-12)
    net, mask = cross(), np.array([[True] * 5, [True, False, True, False, False], [False] * 5])
    whole = net.predict(pair, mask=mask)
    np.testing.assert_allclose(net.predict(pair, mask=mask, batch_size=batch_size), whole, rtol=1e-5, atol=1e-6)


@every_backend
def test_record_and_replay(backend):
    net = lookup(backend)
    y, tape = net.forward(words, training=True)
    dy = rng.normal(size=y.shape)
    y, dx = y.copy(), net.backward(dy, tape, need_dx=True)
    g = net.gradients.flat.copy()
    plan = net.record(4, need_dx=True)
    kinds = {buffer.kind: buffer for buffer in plan.buffers}
    assert kinds["x.tokens"].dtype == np.int64
    assert kinds["x.offset"].dtype == np.float64
    net.zero_grad()
    given = {"parameters": net.parameters.flat, "gradients": net.gradients.flat, "dlogits": dy}
    arena = plan.arena(given | named_leaves("x", words))
    plan.replay(plan.forward, arena)
    plan.replay(plan.backward, arena)
    np.testing.assert_array_equal(plan.at(plan.logits, arena), y)
    np.testing.assert_array_equal(net.gradients.flat, g)
    again = plan.at(plan.dx, arena)
    assert type(again) is Words
    assert again.tokens is None
    np.testing.assert_array_equal(again.offset, dx.offset)
    assert net.record(4).dx is None


def test_two_tapes_and_a_dropped_one():
    net = cross(dtype="float64")
    other = map_leaves(lambda a: a[::-1], pair)
    alone = []
    for x in (pair, other):
        y, tape = net.forward(x, training=True)
        alone.append(map_leaves(np.copy, net.backward(np.ones_like(y), tape, need_dx=True)))
    (y, first), (_, second) = net.forward(pair, training=True), net.forward(other, training=True)
    for tape, expected in ((second, alone[1]), (first, alone[0])):
        dx = net.backward(np.ones_like(y), tape, need_dx=True)
        map_leaves(np.testing.assert_array_equal, dx, expected)
    del first, second, tape
    made = net.pool.made
    for _ in range(3):
        net.forward(pair, training=True)  # dropped at once
    assert net.pool.made == made


def test_a_layer_in_the_middle_may_put_one_out():
    """(x, x) into cross-attention is self-attention, also in the gradient."""
    x = pair.query.astype(np.float64)
    one = Network([MultiHeadAttention(2)], (4, 6), backend="reference", dtype="float64")
    two = Network([Twice(), MultiHeadAttention(2)], (4, 6), backend="reference", dtype="float64")
    two.parameters.load({f"1{name[1:]}": view for name, view in one.parameters.views.items()})
    results = []
    for net in (one, two):
        y, tape = net.forward(x, training=True)
        results.append((y, net.backward(np.cos(y), tape, need_dx=True)))
    for alone, crossed in zip(*results, strict=True):
        np.testing.assert_allclose(crossed, alone, rtol=1e-10, atol=1e-12)
    with pytest.raises(ShapeError, match=r"puts out one array[\s\S]*QueryMemory"):
        Network([Twice()], (4, 6))


@pytest.mark.parametrize(
    ("bad", "error", "says"),
    [
        (pair.query, DtypeError, r"not a QueryMemory[\s\S]*ndarray[\s\S]*QueryMemory\(query=\.\.\., memory=\.\.\.\)"),
        (tuple(pair), DtypeError, "not a QueryMemory"),
        (Words(*pair), DtypeError, r"not a QueryMemory[\s\S]*Words"),
        (pair._replace(memory=pair.memory[:, :, 1:]), ShapeError, r"x\.memory[\s\S]*\('N', 5, 6\)[\s\S]*\(3, 5, 5\)"),
        (QueryMemory(pair.memory, pair.query), ShapeError, r"x\.query[\s\S]*\('N', 4, 6\)[\s\S]*\(3, 5, 6\)"),
        (pair._replace(query=pair.query.tolist()), DtypeError, r"not an array[\s\S]*x\.query"),
        (pair._replace(query=pair.query.astype(int)), DtypeError, r"x\.query[\s\S]*float32[\s\S]*int64"),
        (
            pair._replace(memory=pair.memory[:2]),
            ShapeError,
            r"number of samples[\s\S]*x\.memory[\s\S]*N = 3[\s\S]*N = 2",
        ),
        (map_leaves(lambda a: a[:0], pair), ShapeError, "batch is empty"),
        (map_leaves(lambda a: a[0], pair), ShapeError, "one sample"),
    ],
)
@pytest.mark.parametrize("method", ["forward", "predict"])
def test_the_border_refuses(bad, error, says, method):
    net = cross()
    with pytest.raises(error, match=says):
        net.predict(bad) if method == "predict" else net.forward(bad, training=True)
    assert net.count[0] == 0


def test_the_border_refuses_by_the_kind_of_each_leaf():
    with pytest.raises(DtypeError, match=r"takes indices[\s\S]*x\.tokens"):
        lookup().forward(Words(words.offset[..., 0], words.offset), training=True)
    with pytest.raises(DtypeError, match=r"takes floats[\s\S]*x\.offset"):
        lookup().forward(Words(words.tokens, np.zeros((4, 3, 2), int)), training=True)
    with pytest.raises(DtypeError, match=r"not an array[\s\S]*QueryMemory[\s\S]*one shape"):
        Network([ReLU()], (4, 6), backend="reference").forward(pair, training=True)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (QueryMemory(4, (5, 6)), r"input_shape\.query[\s\S]*query=\(4,\)"),
        (QueryMemory((4, 6), (5, -6)), r"input_shape\.memory[\s\S]*whole numbers"),
        (QueryMemory(Words((4,), (6,)), (5, 6)), r"input_shape\.query[\s\S]*whole numbers"),
        (Empty(), "no leaves"),
    ],
)
def test_no_shapes(given, says):
    with pytest.raises(ConfigError, match=says):
        Network([MultiHeadAttention(2)], given)


@pytest.mark.parametrize(
    ("layers", "path"),
    [
        ([ReLU()], r"layer 0, ReLU\(\)"),
        ([Sequential(Dropout(0.5), MultiHeadAttention(2))], r"layer 0\.0, Dropout"),
        ([Lookup()], "layer 0, Lookup"),
        ([MultiHeadAttention(2), Twice(), Tanh(), MultiHeadAttention(2)], r"layer 2, Tanh\(\)"),
    ],
)
def test_a_layer_that_takes_one_array_refuses(layers, path):
    with pytest.raises(ShapeError, match=rf"{path}[\s\S]*one array[\s\S]*QueryMemory of 2"):
        Network(layers, QueryMemory((4, 6), (5, 6)))


def test_repr_shows_the_leaves():
    assert "QueryMemory(query=(4, 6), memory=(5, 6)) -> (4, 6)" in repr(cross())
