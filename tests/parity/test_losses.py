"""Every loss against torch, on both backends; stability, kinks, NaN, and what is refused."""

import math

import numpy as np
import pytest

from scratchnet.core import ConfigError, DtypeError, ShapeError, TargetError
from scratchnet.core.run import Pool, Run
from scratchnet.losses.bce_with_logits import BCEWithLogits
from scratchnet.losses.huber import Huber
from scratchnet.losses.mae import MAE
from scratchnet.losses.mse import MSE
from scratchnet.losses.softmax_cross_entropy import SoftmaxCrossEntropy
from scratchnet_kernels import get_backend

torch = pytest.importorskip("torch", reason="parity needs the extra `parity`")
F = torch.nn.functional

every_backend = pytest.mark.parametrize("backend", ["reference", "cpu"])
reductions = pytest.mark.parametrize("reduction", ["mean", "sum"])
TOLERANCE = {"float32": 2e-6, "float64": 1e-13}
ELEMENTWISE = {
    "mse": (MSE, F.mse_loss, {}),
    "mae": (MAE, F.l1_loss, {}),
    "huber": (Huber, F.huber_loss, {}),
    "huber, delta": (Huber, F.huber_loss, {"delta": 0.4}),
    "bce": (BCEWithLogits, F.binary_cross_entropy_with_logits, {}),
}
every_elementwise = pytest.mark.parametrize("name", ELEMENTWISE)


def evaluate(loss, z, t, backend, dvalue=1.0):
    run = Run(Pool(), training=False, count=np.zeros(1, np.int64))
    k = get_backend(backend).table()
    value, saved = loss.forward(k, z, loss.admit(z, t), run)
    return value, loss.backward(k, saved, np.asarray(dvalue), run)


def assert_same(loss, their_loss, z, t, backend, dvalue=-1.3):
    value, dz = evaluate(loss, z, t, backend, dvalue)
    their_z = torch.tensor(z, requires_grad=True)
    their_t = torch.tensor(t)
    theirs = their_loss(their_z, their_t)
    (dvalue * theirs).backward()
    tolerance = TOLERANCE[str(z.dtype)]
    assert value.dtype == dz.dtype == z.dtype
    np.testing.assert_allclose(value, theirs.item(), rtol=tolerance, atol=tolerance)
    scale = max(1.0, float(their_z.grad.abs().max()))
    np.testing.assert_allclose(dz, their_z.grad.numpy(), rtol=tolerance, atol=tolerance * scale)


def draw(dtype, *shape, seed=0, scale=2.0):
    return (np.random.default_rng(seed).normal(size=shape) * scale).astype(dtype)


@every_elementwise
@every_backend
@reductions
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(7,), (4, 1), (5, 3), (2, 3, 4)])
def test_elementwise(name, backend, reduction, dtype, shape):
    make, theirs, settings = ELEMENTWISE[name]
    z, t = draw(dtype, *shape), draw(dtype, *shape, seed=1)
    if make is BCEWithLogits:
        t = 1 / (1 + np.exp(-t))
    assert_same(
        make(reduction=reduction, **settings),
        lambda z, t: theirs(z, t, reduction=reduction, **settings),
        z,
        t,
        backend,
    )


@every_backend
@reductions
@pytest.mark.parametrize("pos_weight", [3.0, 0.0, (0.5, 2.0, 7.0)])
@pytest.mark.parametrize("shape", [(5, 3), (2, 4, 3)])
def test_bce_weights(backend, reduction, pos_weight, shape):
    z, t = draw("float64", *shape), np.random.default_rng(1).random(shape)
    w = torch.tensor(pos_weight, dtype=torch.float64)
    assert_same(
        BCEWithLogits(pos_weight, reduction),
        lambda z, t: F.binary_cross_entropy_with_logits(z, t, pos_weight=w, reduction=reduction),
        z,
        t,
        backend,
    )


@every_backend
@reductions
@pytest.mark.parametrize("weights", [None, (0.5, 2.0, 1.0, 0.0)])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["index", "ignored", "probabilities"])
def test_softmax_cross_entropy(backend, reduction, weights, smoothing, dtype, kind):
    z = draw(dtype, 6, 4)
    t = np.array([0, 3, 1, 2, 1, 0])
    if kind == "probabilities":
        t = np.random.default_rng(1).dirichlet(np.ones(4), 6).astype(dtype)
    ignore = 1 if kind == "ignored" else -100
    w = None if weights is None else torch.tensor(weights, dtype=getattr(torch, dtype))
    assert_same(
        SoftmaxCrossEntropy(smoothing, weights, ignore, reduction),
        lambda z, t: F.cross_entropy(
            z,
            t,
            weight=w,
            label_smoothing=smoothing,
            reduction=reduction,
            **({} if t.ndim == 2 else {"ignore_index": ignore}),
        ),
        z,
        t,
        backend,
    )


@every_backend
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["index", "probabilities"])
def test_softmax_cross_entropy_is_stable(backend, dtype, kind):
    z = np.array([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4], [0.0, 1e4, -1e4], [1e4, 1e4, 1e4]], dtype)
    t = np.array([0, 1, 2, 1]) if kind == "index" else np.eye(3, dtype=dtype)[[0, 1, 2, 1]]
    assert_same(SoftmaxCrossEntropy(), F.cross_entropy, z, t, backend)
    value, dz = evaluate(SoftmaxCrossEntropy(reduction="sum"), z, t, backend)
    assert float(value) == pytest.approx(2e4 + math.log(2) + math.log(3))
    np.testing.assert_allclose(dz[2], [0, 1, -1])


@every_backend
def test_a_class_ruled_out_by_minus_infinity(backend):
    z = np.array([[-np.inf, 1.0, 2.0], [0.5, -np.inf, 0.0]])
    assert_same(SoftmaxCrossEntropy(), F.cross_entropy, z, np.array([1, 0]), backend)
    value, dz = evaluate(SoftmaxCrossEntropy(), z, np.array([[0, 0.5, 0.5], [1.0, 0, 0]]), backend)
    assert np.isfinite(value)
    assert dz[0, 0] == dz[1, 1] == 0


@every_backend
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["index", "probabilities"])
@pytest.mark.parametrize("column", [0, 1, 2])
def test_softmax_cross_entropy_keeps_nan(backend, dtype, kind, column):
    z = draw(dtype, 3, 3)
    z[1, column] = np.nan
    t = np.array([0, 1, 2]) if kind == "index" else np.eye(3, dtype=dtype)
    value, dz = evaluate(SoftmaxCrossEntropy(), z, t, backend)
    assert np.isnan(value)
    assert np.isnan(dz).tolist() == [[False] * 3, [True] * 3, [False] * 3]


@every_backend
@pytest.mark.parametrize("kind", ["int8", "uint8", "int32", "uint64"])
def test_any_whole_numbers_are_labels(backend, kind):
    z, t = draw("float32", 5, 3), np.array([2, 0, 1, 1, 2])
    for fast, slow in zip(
        evaluate(SoftmaxCrossEntropy(), z, t.astype(kind)[::-1], backend),
        evaluate(SoftmaxCrossEntropy(), z, t[::-1].copy(), backend),
        strict=True,
    ):
        np.testing.assert_array_equal(fast, slow)


@every_backend
def test_what_an_ignored_row_holds_does_not_matter(backend):
    """As in PyTorch, not even a NaN."""
    z, t = np.random.default_rng(0).normal(size=(3, 4)), np.array([1, -100, 2])
    z[1, 2] = np.nan
    tz = torch.tensor(z, requires_grad=True)
    expected = F.cross_entropy(tz, torch.tensor(t))
    expected.backward()
    value, dz = evaluate(SoftmaxCrossEntropy(), z, t, backend)
    np.testing.assert_allclose(value, expected.item(), rtol=1e-13)
    np.testing.assert_allclose(dz[[0, 2]], tz.grad.numpy()[[0, 2]], rtol=1e-12)
    np.testing.assert_array_equal(dz[1], 0)


def test_the_cpu_kernel_does_not_write_past_its_array():
    """Labels that `admit` would refuse make NaN, and touch nothing else."""
    k = get_backend("cpu").table()
    q, t = np.full((3, 2), 0.5), np.array([0, 7, -3])
    guarded = np.zeros(20)
    dz, value, total = guarded[7:13].reshape(3, 2), np.zeros(()), np.zeros(())
    k.softmax_cross_entropy(np.zeros((3, 2)), t, None, value, q, total, 0.0, -100, True)
    k.softmax_cross_entropy_backward(q, t, None, np.ones(()), np.ones(()), dz, 0.0, -100)
    assert np.isnan(value)
    assert np.isnan(dz).tolist() == [[False, False], [True, True], [True, True]]
    assert not guarded[:7].any()
    assert not guarded[13:].any()


@every_backend
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bce_is_stable_and_keeps_small_numbers(backend, dtype):
    z = np.array([[1e4, -1e4, 1e4, -1e4, -40.0, 40.0]], dtype)
    t = np.array([[1.0, 0.0, 0.0, 1.0, 0.0, 1.0]], dtype)
    value, dz = evaluate(BCEWithLogits(reduction="sum"), z, t, backend)
    assert float(value) == pytest.approx(2e4)
    tail = math.exp(-40)
    np.testing.assert_allclose(dz, [[0, 0, 1, -1, tail, -tail]], rtol=1e-5, atol=0)
    small, _ = evaluate(BCEWithLogits(reduction="sum"), z[:, 4:], t[:, 4:], backend)
    assert float(small) == pytest.approx(2 * tail, rel=1e-5)


@every_backend
@pytest.mark.parametrize("name", ["mae", "huber", "huber, delta"])
def test_kinks(name, backend):
    """z = t, and |z - t| = δ exactly, as torch takes them."""
    make, theirs, settings = ELEMENTWISE[name]
    edge = settings.get("delta", 1.0)
    d = np.array([0.0, -0.0, edge, -edge, np.nextafter(edge, 0), np.nextafter(edge, 9)])
    assert_same(make(**settings), lambda z, t: theirs(z, t, **settings), d, np.zeros(6), backend)


@pytest.mark.parametrize("d", [0.0, 1.0, -1.0])
@pytest.mark.parametrize("loss", [MAE(), Huber()], ids=repr)
def test_the_derivative_at_a_kink_is_the_forwards_own(loss, d):
    z, t = np.array([d + 1e-40j]), np.zeros(1, complex)
    value, dz = evaluate(loss, z, t, "reference")
    assert value.imag / 1e-40 == dz[0].real


@every_elementwise
@every_backend
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_elementwise_keeps_nan(name, backend, dtype):
    make, _, settings = ELEMENTWISE[name]
    z, t = draw(dtype, 3, 2), np.full((3, 2), 0.25, dtype)
    z[1, 0] = np.nan
    value, dz = evaluate(make(**settings), z, t, backend)
    assert np.isnan(value)
    assert np.argwhere(np.isnan(dz)).tolist() == [[1, 0]]


@every_backend
def test_huber_does_not_square_what_is_large(backend):
    z, t = np.array([1e30, -1e30], np.float32), np.zeros(2, np.float32)
    value, dz = evaluate(Huber(), z, t, backend)
    assert float(value) == pytest.approx(1e30, rel=1e-6)
    np.testing.assert_array_equal(dz, [0.5, -0.5])


@every_elementwise
def test_elementwise_refuses(name):
    make, _, settings = ELEMENTWISE[name]
    loss, z = make(**settings), np.zeros((3, 2), np.float32)
    with pytest.raises(ShapeError, match=r"reshape\(\(3, 2\)\)"):
        loss(z, np.zeros(6, np.float32))
    with pytest.raises(ShapeError, match="not broadcast"):
        loss(z, np.zeros((3, 1), np.float32))
    with pytest.raises(DtypeError, match=r"astype\(np.float32\)"):
        loss(z, np.zeros((3, 2), np.int64))
    with pytest.raises(DtypeError, match="bool"):
        loss(z, np.zeros((3, 2), bool))
    t = np.zeros((3, 2))
    t[1, 1] = t[2, 0] = np.nan
    with pytest.raises(TargetError, match=r"targets\[1, 1\]"):
        loss(z, t)
    value, dz = loss(z, np.zeros((3, 2)))  # float64 targets are cast to the logits' type
    assert value.dtype == dz.dtype == np.float32


def test_bce_refuses():
    z, t = np.zeros((3, 2)), np.full((3, 2), 0.5)
    t[1, 0], t[2, 1] = 1.5, -1
    with pytest.raises(TargetError, match=r"targets\[1, 0\]"):
        BCEWithLogits()(z, t)
    for bad in (1.5, -1):  # one by itself, too
        with pytest.raises(TargetError, match=r"targets\[2, 1\]"):
            BCEWithLogits()(z, np.where(t == -1, bad, 0.5))
    with pytest.raises(ShapeError, match=r"logits \(N, \.\.\., 3\)"):
        BCEWithLogits((1.0, 2.0, 3.0))(z, np.zeros((3, 2)))
    with pytest.raises(ShapeError, match="last axis"):
        BCEWithLogits((1.0, 2.0, 3.0))(np.zeros(3), np.zeros(3))
    for weight in (-1.0, (1.0, -2.0), (), math.nan, math.inf):
        with pytest.raises(ConfigError):
            BCEWithLogits(weight)


def test_softmax_cross_entropy_refuses():
    z = np.zeros((3, 4))
    with pytest.raises(TargetError, match=r"targets\[2\]"):
        SoftmaxCrossEntropy()(z, np.array([0, 3, 4]))
    with pytest.raises(TargetError, match=r"targets\[1\]"):
        SoftmaxCrossEntropy()(z, np.array([0, -1, 2]))
    with pytest.raises(TargetError, match="no mean"):
        SoftmaxCrossEntropy(ignore_index=0)(z, np.zeros(3, int))
    p = np.full((3, 4), 0.25)
    p[2, 1] = np.nan
    with pytest.raises(TargetError, match=r"targets\[2, 1\]"):
        SoftmaxCrossEntropy()(z, p)


@pytest.mark.parametrize("make", [lambda: MSE("none"), lambda: MAE("max"), lambda: Huber(0.0), lambda: Huber(math.nan)])
def test_settings_without_meaning(make):
    with pytest.raises(ConfigError):
        make()
