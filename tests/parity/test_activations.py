"""Activations against PyTorch: y and dx, on ordinary values, at ties and kinks, and far out."""

import numpy as np
import pytest

from scratchnet import Network
from scratchnet.layers.dropout import Dropout
from scratchnet.layers.elu import ELU
from scratchnet.layers.flatten import Flatten
from scratchnet.layers.gelu import GELU
from scratchnet.layers.leaky_relu import LeakyReLU
from scratchnet.layers.log_softmax import LogSoftmax
from scratchnet.layers.relu import ReLU
from scratchnet.layers.reshape import Reshape
from scratchnet.layers.sigmoid import Sigmoid
from scratchnet.layers.silu import SiLU
from scratchnet.layers.softmax import Softmax
from scratchnet.layers.softplus import Softplus
from scratchnet.layers.square import Square
from scratchnet.layers.tanh import Tanh

torch = pytest.importorskip("torch", reason="parity is with PyTorch: pip install scratchnet[parity]")
F = torch.nn.functional

PAIRS = {
    "ReLU": (ReLU(), F.relu),
    "LeakyReLU": (LeakyReLU(), F.leaky_relu),
    "LeakyReLU, negative slope": (LeakyReLU(-0.3), lambda x: F.leaky_relu(x, -0.3)),
    "ELU": (ELU(), F.elu),
    "ELU(0.5)": (ELU(0.5), lambda x: F.elu(x, 0.5)),
    "Sigmoid": (Sigmoid(), torch.sigmoid),
    "Tanh": (Tanh(), torch.tanh),
    "GELU": (GELU(), F.gelu),
    "GELU, tanh": (GELU(approximate="tanh"), lambda x: F.gelu(x, approximate="tanh")),
    "SiLU": (SiLU(), F.silu),
    "Softplus": (Softplus(), F.softplus),
    "Softplus(2, 3)": (Softplus(2.0, 3.0), lambda x: F.softplus(x, 2.0, 3.0)),
    "Square": (Square(), torch.square),
    "Softmax": (Softmax(), lambda x: F.softmax(x, 1)),
    "Softmax(-1)": (Softmax(-1), lambda x: F.softmax(x, -1)),
    "Softmax(2)": (Softmax(2), lambda x: F.softmax(x, 2)),
    "LogSoftmax": (LogSoftmax(), lambda x: F.log_softmax(x, 1)),
    "LogSoftmax(-2)": (LogSoftmax(-2), lambda x: F.log_softmax(x, -2)),
    "Flatten": (Flatten(), torch.nn.Flatten()),
    "Reshape": (Reshape(-1, 3), lambda x: x.reshape(len(x), -1, 3)),
}
SHAPE = (4, 6, 5)
VALUES = {
    "normal": lambda rng: 3 * rng.normal(size=(3, *SHAPE)),
    "ties": lambda rng: rng.integers(-3, 4, (3, *SHAPE)).astype(float),
    "zero": lambda rng: np.zeros((3, *SHAPE)),
    "far": lambda rng: rng.choice([-1e4, -100.0, -20.0, 0.0, 20.0, 100.0, 1e4], (3, *SHAPE)),
}
TOLERANCE = {dtype: 64 * np.finfo(dtype).eps for dtype in ("float32", "float64")}  # some tens of roundings


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("name", PAIRS)
def test_y_and_dx(name, values, backend, dtype):
    layer, function = PAIRS[name]
    rng = np.random.default_rng(3)
    x = VALUES[values](rng).astype(dtype)
    net = Network(layer, SHAPE, backend=backend, dtype=dtype)
    y, tape = net.forward(x, training=True)
    dy = rng.normal(size=y.shape).astype(dtype)
    dx = net.backward(dy, tape, need_dx=True)
    x_torch = torch.from_numpy(x.astype(np.float64)).requires_grad_()  # on the same numbers, with digits to spare
    y_torch = function(x_torch)
    y_torch.backward(torch.from_numpy(dy.astype(np.float64)))
    for actual, exact in ((y, y_torch.detach().numpy()), (dx, x_torch.grad.numpy())):
        assert actual.dtype == dtype
        np.testing.assert_allclose(actual, exact, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


@pytest.mark.parametrize("rate", [0.0, 0.25, 1.0])
def test_dropout_scales_as_torch_does(rate):
    """Masks differ; what is kept, what is dropped, and what happens at the ends of the range agree."""
    x = np.arange(1.0, 4001.0).reshape(4, 1000)
    y, _ = Network(Dropout(rate), (1000,), dtype="float64").forward(x, training=True)
    y_torch = F.dropout(torch.from_numpy(x), rate).numpy()
    for result in (y, y_torch):
        ratios = np.unique((result / x).round(12))
        assert set(ratios) <= {0.0, round(1 / (1 - rate), 12) if rate < 1 else 0.0}
    assert ((y == 0).any(), (y == 0).all()) == ((y_torch == 0).any(), (y_torch == 0).all())
