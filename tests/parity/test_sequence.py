"""Attention and positional embeddings against PyTorch, on both backends: forward, dx, parameter gradients, masks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import MultiHeadAttention, Network, PositionalEmbedding
from scratchnet.core import ConfigError, DtypeError, ShapeError
from scratchnet_kernels import get_backend

torch = pytest.importorskip("torch", reason="parity needs PyTorch: pip install 'scratchnet[parity]'")
F = torch.nn.functional

every_backend = pytest.mark.parametrize("backend", ["reference", "cpu"])
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
seeds = st.integers(0, 2**16)

TOLERANCE = {"float32": 3e-5, "float64": 1e-11}  # of the largest element: some hundred roundings


def close(actual, expected, tolerance):
    expected = expected.detach().numpy() if isinstance(expected, torch.Tensor) else expected
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * max(1.0, np.abs(expected).max(initial=0)))


def drawn_mask(rng, N, T):
    """Some tokens are padding, the first never, so that no query of ours or theirs sees nothing."""
    mask = rng.random((N, T)) < 0.6
    mask[:, 0] = True
    return mask


def attention_and_twin(layer, x, backend, dtype, mask):
    """((y, dx, gradients), the same of PyTorch in float64), under one random cotangent."""
    rng = np.random.default_rng(3)
    side = {} if mask is None else {"mask": mask}
    net = Network([layer], x.shape[1:], backend=backend, dtype=dtype)
    for view in net.parameters.views.values():
        view += (0.3 * rng.normal(size=view.shape)).astype(dtype)
    y, tape = net.forward(x, training=True, **side)
    dy = rng.normal(size=y.shape).astype(dtype)
    dx = net.backward(dy, tape, need_dx=True)

    T, D = x.shape[1:]
    theirs = torch.nn.MultiheadAttention(D, layer.heads, bias=layer.bias, batch_first=True, dtype=torch.float64)
    names = {"0.in_proj.W": theirs.in_proj_weight, "0.out_proj.W": theirs.out_proj.weight}
    if layer.bias:
        names |= {"0.in_proj.b": theirs.in_proj_bias, "0.out_proj.b": theirs.out_proj.bias}
    assert names.keys() == net.parameters.views.keys()
    with torch.no_grad():
        for name, parameter in names.items():
            parameter.copy_(torch.tensor(np.array(net.parameters.views[name])))
    tx = torch.tensor(x.astype(np.float64), requires_grad=True)
    later = torch.ones(T, T, dtype=torch.bool).triu(1) if layer.causal else None
    padding = None if mask is None else torch.tensor(~mask)
    ty, _ = theirs(tx, tx, tx, key_padding_mask=padding, attn_mask=later, need_weights=False)
    ty.backward(torch.tensor(dy.astype(np.float64)))
    return (y, dx, net.gradients.views), (ty, tx.grad, {name: p.grad for name, p in names.items()})


def same(ours, theirs, tolerance):
    (y, dx, g), (ty, tdx, tg) = ours, theirs
    close(y, ty, tolerance)
    close(dx, tdx, tolerance)
    for name in tg:
        close(g[name], tg[name], tolerance)


@every_backend
@every_dtype
@given(seed=seeds, data=st.data())
def test_multi_head_attention(backend, dtype, seed, data):
    rng = np.random.default_rng(seed)
    heads = data.draw(st.integers(1, 4), "heads")
    N, T, D = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 7)), heads * data.draw(st.integers(1, 5))
    mask = drawn_mask(rng, N, T) if data.draw(st.booleans(), "mask") else None
    layer = MultiHeadAttention(heads, data.draw(st.booleans(), "causal"), data.draw(st.booleans(), "bias"))
    x = rng.normal(size=(N, T, D)).astype(dtype)
    same(*attention_and_twin(layer, x, backend, dtype, mask), TOLERANCE[dtype])


@every_dtype
@pytest.mark.parametrize("causal", [False, True])
def test_multi_head_attention_on_threads(causal, dtype):
    """Large enough for the parallel kernels, sizes that no tile divides, and a mask that is a strided view."""
    rng = np.random.default_rng(0)
    x, mask = rng.normal(size=(5, 67, 57)).astype(dtype), drawn_mask(rng, 5, 134)[:, ::2]
    same(*attention_and_twin(MultiHeadAttention(3, causal), x, "cpu", dtype, mask), TOLERANCE[dtype])


@every_backend
@every_dtype
def test_attention_of_other_lengths_and_strides(backend, dtype):
    """The op by itself: fewer queries than keys, and nothing contiguous."""
    rng = np.random.default_rng(1)

    def strided(*shape):
        return rng.normal(size=(*shape[::-1], 2)).astype(dtype)[..., 0].T

    (q, dy, dq, y), (keys, v, dk, dv) = ([strided(2, 3, n, 4) for _ in range(4)] for n in (5, 9))
    mask, P = drawn_mask(rng, 2, 9), strided(2, 3, 5, 9)
    k = get_backend(backend).table()
    k.attention(q, keys, v, mask, y, P, False)
    k.attention_backward(q, keys, v, P, dy, dq, dk, dv)
    given = [torch.tensor(a.astype(np.float64), requires_grad=True) for a in (q, keys, v)]
    ty = F.scaled_dot_product_attention(*given, attn_mask=torch.tensor(mask[:, None, None, :]))
    ty.backward(torch.tensor(dy.astype(np.float64)))
    close(y, ty, TOLERANCE[dtype])
    for ours, theirs in zip((dq, dk, dv), given, strict=True):
        close(ours, theirs.grad, TOLERANCE[dtype])


@every_backend
@every_dtype
@pytest.mark.parametrize("causal", [False, True])
def test_queries_that_see_nothing(backend, dtype, causal):
    """All keys are padding, or all that are not later: y is the bias, no gradient flows, and the rest is unharmed."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(3, 4, 6)).astype(dtype)
    mask = np.array([[False] * 4, [False, False, True, True], [True] * 4])
    net = Network([MultiHeadAttention(2, causal)], (4, 6), backend=backend, dtype=dtype)
    net.parameters.views["0.out_proj.b"][...] = rng.normal(size=6)
    y, tape = net.forward(x, training=True, mask=mask)
    blind = ~(mask[:, None, :] & (np.tri(4, dtype=bool) if causal else np.ones((4, 4), bool))).any(2)
    assert blind.sum() == (6 if causal else 4)
    assert (y[blind] == net.parameters.views["0.out_proj.b"]).all()
    assert np.isfinite(y).all()
    np.testing.assert_allclose(y[2], net.predict(x[2:], mask=mask[2:])[0], rtol=1e-5)
    dx = net.backward(blind[..., None] * rng.normal(size=y.shape).astype(dtype), tape, need_dx=True)
    assert not dx.any()
    assert not net.gradients.views["0.in_proj.W"].any()
    assert not net.gradients.views["0.out_proj.W"].any()


@every_backend
@every_dtype
@pytest.mark.parametrize("causal", [False, True])
def test_large_scores(backend, dtype, causal):
    """At ±1e4 the scores are around 1e8: the weights are 0 and 1, and nothing overflows."""
    rng = np.random.default_rng(4)
    q, keys, v, dy = (1e4 * rng.normal(size=(2, 2, 5, 3)).astype(dtype) for _ in range(4))
    y, dq, dk, dv, P = (np.empty((2, 2, 5, n), dtype) for n in (3, 3, 3, 3, 5))
    k = get_backend(backend).table()
    mask = np.array([[True] * 5, [True, False, True, True, False]])
    k.attention(q, keys, v, mask, y, P, causal)
    k.attention_backward(q, keys, v, P, dy, dq, dk, dv)
    np.testing.assert_allclose(P.sum(3), 1, rtol=1e-6)
    assert np.isfinite([y, dq, dk, dv]).all()
    seen = torch.tensor(mask[:, None, None, :]) & (torch.ones(5, 5).tril().bool() if causal else True)
    ty = F.scaled_dot_product_attention(*[torch.tensor(a.astype(np.float64)) for a in (q, keys, v)], attn_mask=seen)
    np.testing.assert_allclose(y, ty.numpy(), rtol=1e-5)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 3])
@pytest.mark.parametrize("which", range(3))
def test_what_is_not_finite_goes_where_the_reference_sends_it(bad, place, which):
    rng = np.random.default_rng(5)
    inputs = [rng.normal(size=(1, 1, 5, 3)) for _ in range(4)]
    inputs[which][0, 0, place, 1] = bad
    mask = np.array([[True, True, True, False, True]])
    results = []
    for backend in ("reference", "cpu"):
        k = get_backend(backend).table()
        y, dq, dk, dv, P = (np.empty((1, 1, 5, n)) for n in (3, 3, 3, 3, 5))
        k.attention(*inputs[:3], mask, y, P, True)
        k.attention_backward(*inputs[:3], P, inputs[3], dq, dk, dv)
        results.append((y, P, dq, dk, dv))
    assert any(np.isnan(a).any() for a in results[0])
    for slow, fast in zip(*results, strict=True):
        np.testing.assert_allclose(fast, slow, rtol=1e-12, atol=1e-13)


@every_backend
@every_dtype
@pytest.mark.parametrize("T", [1, 4, 6])
def test_learned_positions(backend, dtype, T):
    rng = np.random.default_rng(6)
    net = Network([PositionalEmbedding(6)], (T, 5), backend=backend, dtype=dtype)
    x = rng.normal(size=(3, T, 5)).astype(dtype)
    theirs = torch.nn.Embedding(6, 5, dtype=torch.float64)
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor(np.array(net.parameters.views["0.P"])))
    y, tape = net.forward(x, training=True)
    dy = rng.normal(size=y.shape).astype(dtype)
    dx = net.backward(dy, tape, need_dx=True)
    ty = torch.tensor(x.astype(np.float64)) + theirs(torch.arange(T))
    ty.backward(torch.tensor(dy.astype(np.float64)))
    close(y, ty, TOLERANCE[dtype])
    close(net.gradients.views["0.P"], theirs.weight.grad, TOLERANCE[dtype])
    np.testing.assert_array_equal(dx, dy)


def test_sinusoidal_positions():
    """By the formula of the paper, element for element; no parameter, and no gradient to wait for."""
    for D in (1, 6, 7):
        net = Network([PositionalEmbedding(kind="sinusoidal", max_length=50)], (40, D), dtype="float64")
        assert not net.parameters.views
        P = net.predict(np.zeros((1, 40, D)))[0]
        for t in (0, 1, 39):
            for d in range(D):
                angle = t / 10000 ** ((d - d % 2) / D)
                assert P[t, d] == pytest.approx(np.cos(angle) if d % 2 else np.sin(angle), abs=1e-14)


@pytest.mark.parametrize(
    "make",
    [
        lambda: MultiHeadAttention(0),
        lambda: MultiHeadAttention(2.0),
        lambda: PositionalEmbedding(0),
        lambda: PositionalEmbedding(8, "rotary"),
    ],
)
def test_settings_without_meaning(make):
    with pytest.raises(ConfigError):
        make()


@pytest.mark.parametrize(
    ("layer", "in_shape", "says"),
    [
        (PositionalEmbedding(5), (6, 2), ["PositionalEmbedding", "at most 5", "6", "max_length"]),
        (PositionalEmbedding(5, "sinusoidal"), (6, 2), ["at most 5", "6"]),
        (PositionalEmbedding(5), (6,), ["(N, T, D)", "('N', 6)"]),
        (MultiHeadAttention(2), (4, 5), ["heads=2", "5 features"]),
        (MultiHeadAttention(2), (4,), ["(N, T, D)", "('N', 4)"]),
    ],
)
def test_inputs_that_do_not_fit(layer, in_shape, says):
    with pytest.raises(ShapeError) as caught:
        Network([layer], in_shape)
    for part in says:
        assert part in str(caught.value)


@every_backend
def test_masks_that_do_not_fit(backend):
    net = Network([MultiHeadAttention(2)], (4, 6), backend=backend)
    x = np.zeros((3, 4, 6), np.float32)
    with pytest.raises(ShapeError, match="layer 0, op attention, mask"):
        net.forward(x, training=True, mask=np.ones((3, 5), bool))
    with pytest.raises(DtypeError, match="bool"):
        net.forward(x, training=True, mask=np.ones((3, 4), np.float32))
