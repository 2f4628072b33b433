"""RNN, LSTM and GRU against torch: output, dx and the gradient of every parameter, on both backends."""

import numpy as np
import pytest

from scratchnet import GRU, LSTM, RNN, Network

torch = pytest.importorskip("torch", reason="parity needs the extra `parity`")

KINDS = {
    "tanh": (RNN, torch.nn.RNN, {}),
    "relu": (RNN, torch.nn.RNN, {"nonlinearity": "relu"}),
    "lstm": (LSTM, torch.nn.LSTM, {}),
    "gru": (GRU, torch.nn.GRU, {}),
}
THEIRS = {"W_ih": "weight_ih_l0", "W_hh": "weight_hh_l0", "b_ih": "bias_ih_l0", "b_hh": "bias_hh_l0"}
every_kind = pytest.mark.parametrize("kind", KINDS)
every_backend = pytest.mark.parametrize("backend", ["reference", "cpu"])


def flipped(x, reverse):
    return torch.flip(x, [1]) if reverse else x


def run_both(kind, backend, dtype, shape, hidden=6, reverse=False, last=False, bias=True):
    """(ours, theirs): y, dx and the gradients by our names. torch walks in reverse where its input is flipped."""
    make, make_theirs, options = KINDS[kind]
    layer = make(hidden, reverse=reverse, last=last, bias=bias, **options)
    net = Network(layer, shape[1:], seed=3, backend=backend, dtype=dtype)
    rng = np.random.default_rng(4)
    x = rng.normal(size=shape).astype(dtype)
    y, tape = net.forward(x, training=True)
    dy = rng.normal(size=y.shape).astype(dtype)
    ours = {"y": y.copy(), "x": net.backward(dy, tape, need_dx=True).copy(), **net.gradients.snapshot()}

    theirs = make_theirs(shape[2], hidden, bias=bias, batch_first=True, **options).to(getattr(torch, dtype))
    names = {name: THEIRS[name.removeprefix("0.")] for name in net.parameters.views}
    assert sorted(names.values()) == sorted(name for name, _ in theirs.named_parameters())
    theirs.load_state_dict({names[name]: torch.tensor(view) for name, view in net.parameters.views.items()})
    their_x = torch.tensor(x, requires_grad=True)
    states, _ = theirs(flipped(their_x, reverse))
    their_y = states[:, -1] if last else flipped(states, reverse)
    their_y.backward(torch.tensor(dy))
    parameters = dict(theirs.named_parameters())
    expected = {"y": their_y.detach(), "x": their_x.grad} | {n: parameters[names[n]].grad for n in names}
    return ours, {name: array.numpy() for name, array in expected.items()}


def compare(ours, theirs, dtype):
    assert ours.keys() == theirs.keys()
    tolerance = {"float64": 1e-12, "float32": 2e-5}[dtype]
    for name, expected in theirs.items():
        np.testing.assert_allclose(
            ours[name], expected, rtol=0, atol=tolerance * max(1.0, np.abs(expected).max()), err_msg=name
        )


@every_kind
@every_backend
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("last", [False, True])
def test_directions_and_last(kind, backend, dtype, reverse, last):
    compare(*run_both(kind, backend, dtype, (5, 7, 3), reverse=reverse, last=last), dtype)


@every_kind
@every_backend
@pytest.mark.parametrize(("shape", "hidden"), [((1, 1, 1), 1), ((3, 1, 5), 2), ((1, 6, 2), 1), ((9, 4, 33), 35)])
@pytest.mark.parametrize("bias", [True, False])
def test_shapes(kind, backend, shape, hidden, bias):
    compare(*run_both(kind, backend, "float64", shape, hidden, bias=bias), "float64")


@pytest.mark.parametrize(("layer", "rows", "make"), [(RNN, 1, "RNN"), (LSTM, 4, "LSTM"), (GRU, 3, "GRU")])
def test_parameters_begin_as_theirs(layer, rows, make):
    net, theirs = Network(layer(64), (2, 50)), getattr(torch.nn, make)(50, 64)
    for name, view in net.parameters.views.items():
        assert view.shape == tuple(getattr(theirs, THEIRS[name.removeprefix("0.")]).shape)
        assert view.shape[0] == rows * 64
        assert 0.9 / 8 < np.abs(view).max() <= 1 / 8
