"""ONNX models: every layer's passes the checker and computes in ONNX Runtime what the reference does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scratchnet import (
    SGD,
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    Dense,
    Flatten,
    MaxPool2d,
    Network,
    ReLU,
    SoftmaxCrossEntropy,
    layers,
)
from scratchnet.check.strategies import networks
from scratchnet.core.case import RandomDraw
from scratchnet.core.layer import LAYERS
from scratchnet.core.types import named_leaves
from scratchnet.data import Batches, load
from scratchnet.export import onnx, read_onnx
from scratchnet.export.errors import ExportError

from .modules import inputs, network

checker = pytest.importorskip("onnx.checker")
runtime = pytest.importorskip("onnxruntime")

NAMES = sorted({*layers.__all__, "DenseReLU", "ConvReLUPool"} & set(LAYERS))
SEEDS = range(8)


def session(model: Any) -> Any:
    """In ONNX Runtime, on one thread."""
    checker.check_model(model, full_check=True)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def run(model: Any, x: Any) -> np.ndarray:
    """Its logits."""
    given = {name.removeprefix("x."): leaf for name, leaf in named_leaves("x", x).items()}
    return session(model).run(["logits"], given)[0]


def agree(net: Network, x: Any, model: Any) -> None:
    """Within 1e-5 of the largest logit, of the same shape and class."""
    want, got = net.predict(x), run(model, x)
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    scale = max(float(np.abs(want).max(initial=0)), 1e-30)
    assert float(np.abs(got - want).max(initial=0)) <= 1e-5 * scale


@pytest.mark.parametrize("name", NAMES)
def test_a_model_computes_what_the_network_does(name: str) -> None:
    """For numbers of samples that it was not made with; its arrays are the network's."""
    for seed in SEEDS:
        case = LAYERS[name].cases(RandomDraw(np.random.default_rng(seed)))
        net = network(case)
        model = onnx(net)
        for n in (1, 3):
            agree(net, inputs(case, net, n), model)
        names = [node.name for node in model.graph.node]
        assert len(set(names)) == len(names)
        assert {initializer.name for initializer in model.graph.initializer} == set(net.views)


@given(networks(), st.integers(0, 99))
@settings(max_examples=40)
def test_drawn_networks_agree(case: Any, seed: int) -> None:
    net = network(case, seed=seed)
    agree(net, inputs(case, net), onnx(net))


MLP = [Flatten(), Dense(128), ReLU(), Dense(10)]
CNN = [Conv2d(8, 3, padding=1), BatchNorm2d(), ReLU(), MaxPool2d(2), Conv2d(8, 3), ReLU(), Flatten(), Dense(10)]


@pytest.mark.real_data
@pytest.mark.skipif(not os.environ.get("SCRATCHNET_DATA"), reason="SCRATCHNET_DATA is not set to a folder of data")
@pytest.mark.parametrize("body", [MLP, CNN], ids=["mlp", "cnn"])
def test_every_picture_of_mnist_gets_the_same_class(body: list) -> None:
    """After some steps of training; within 1e-5 of the largest logit."""
    folder = os.environ["SCRATCHNET_DATA"]
    data = load("mnist", folder)
    net = Network(body, (1, 28, 28))
    loss, opt = SoftmaxCrossEntropy(), SGD(0.05)
    for _, (x, y) in zip(range(40), Batches(data.train, 100).epoch(0), strict=False):
        logits, tape = net.forward(x, training=True)
        _, dlogits = loss(logits, y)
        net.zero_grad()
        net.backward(dlogits, tape)
        opt.step(net)
    model = session(onnx(net))
    same = Network(body, (1, 28, 28), backend="reference")
    same.parameters.load(net.parameters.views)
    same.buffers.load(net.buffers.views)
    seen = 0
    for x, y in Batches(data.test, 500, shuffle=False).epoch(0):
        want, got = same.predict(x), model.run(["logits"], {"x": x})[0]
        np.testing.assert_array_equal(got.argmax(1), want.argmax(1))
        assert np.abs(got - want).max() <= 1e-5 * np.abs(want).max()
        seen += len(y)
    assert seen == 10_000


def test_the_same_network_is_the_same_bytes(tmp_path: Path) -> None:
    contents = []
    for name in ("one.onnx", "two.onnx"):
        onnx(Network([Dense(3), ReLU(), Dense(2)], (4,)), tmp_path / name, facts={"epochs": 3, "data": "drawn"})
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]


def test_what_a_file_holds(tmp_path: Path) -> None:
    net = Network([Dense(4), ReLU(), Dense(4), BatchNorm1d()], (4,), ties={"2.W": "0.W"})
    onnx(net, tmp_path / "m.onnx", facts={"epochs": 3})
    held = read_onnx(tmp_path / "m.onnx")
    assert held.verified
    assert held.metadata["epochs"] == "3"
    assert set(held.arrays) == set(net.views) - {"2.W"}
    np.testing.assert_array_equal(held.arrays["0.W"], net.views["0.W"])
    content = (tmp_path / "m.onnx").read_bytes()
    number = net.views["0.W"].tobytes()
    assert number in content
    (tmp_path / "m.onnx").write_bytes(content.replace(number, number[:-1] + bytes([number[-1] ^ 1])))
    assert not read_onnx(tmp_path / "m.onnx").verified


def test_a_model_without_a_hash_is_not_called_wrong(tmp_path: Path) -> None:
    import onnx as package

    model = onnx(Network([Dense(4)], (4,)))
    package.helper.set_model_props(model, {"trained on": "something"})
    package.save(model, tmp_path / "m.onnx")
    assert read_onnx(tmp_path / "m.onnx").verified is None


@pytest.mark.parametrize("text", [b"epochs", b"0.W"])
def test_text_that_is_no_text_is_refused(text: bytes, tmp_path: Path) -> None:
    onnx(Network([Dense(4)], (4,)), tmp_path / "m.onnx", facts={"epochs": 3})
    content = (tmp_path / "m.onnx").read_bytes()
    (tmp_path / "m.onnx").write_bytes(content.replace(text, b"\xff" * len(text)))
    with pytest.raises(ExportError):
        read_onnx(tmp_path / "m.onnx")


def test_arrays_in_another_file_are_not_opened(tmp_path: Path) -> None:
    model = onnx(Network([Dense(3)], (2,)))
    tensor = model.graph.initializer[0]
    tensor.data_location = 1
    tensor.external_data.add(key="location", value="../../etc/passwd")
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ExportError, match="an array that cannot be read"):
        read_onnx(tmp_path / "m.onnx")


@pytest.mark.parametrize("content", [b"", b"\x00", b"PK\x03\x04", b"\xff" * 99, b"print()"])
def test_a_file_of_another_kind_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(content)
    with pytest.raises(ExportError, match="no ONNX model"):
        read_onnx(tmp_path / "m.onnx")


def test_mutated_files_are_refused_or_not_verified(tmp_path: Path) -> None:
    """Or the mutation is in what no hash covers: names of nodes, texts."""
    net = Network([Dense(4), ReLU(), Dense(3)], (5,))
    path, rng = tmp_path / "m.onnx", np.random.default_rng(0)
    onnx(net, path)
    content = path.read_bytes()
    for _ in range(1000):
        changed = bytearray(content)
        if rng.random() < 0.3:
            del changed[rng.integers(len(changed)) :]
        else:
            changed[rng.integers(len(changed))] ^= 1 << rng.integers(8)
        path.write_bytes(changed)
        try:
            held = read_onnx(path)
        except ExportError:
            continue
        if held.verified:
            for name, array in held.arrays.items():
                np.testing.assert_array_equal(array, net.views[name])


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="float32"):
        onnx(Network([Dense(3)], (2,), dtype="float64"))
    net = Network([Dense(3)], (2,))
    with pytest.raises(ExportError, match="cannot be written"):
        onnx(net, tmp_path / "none" / "m.onnx")
    with pytest.raises(ExportError, match="cannot be written"):
        onnx(net, tmp_path)
    net.parameters.views["0.W"][0, 0] = np.nan
    with pytest.raises(ExportError, match="not finite"):
        onnx(net)


def test_an_op_without_a_form_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from scratchnet.export.onnx_model import ops

    monkeypatch.delitem(ops.OPERATORS, "relu")
    with pytest.raises(ExportError, match=r"ONNX has no form of the op relu here\n  where:    layer 1"):
        onnx(Network([Dense(3), ReLU()], (2,), fuse=False))


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setitem(sys.modules, "onnx.helper", None)
    with pytest.raises(ImportError, match=r"scratchnet\[onnx\]"):
        onnx(Network([Dense(3)], (2,)))
    with pytest.raises(ImportError, match=r"scratchnet\[onnx\]"):
        read_onnx(tmp_path / "m.onnx")


def test_the_package_is_imported_late() -> None:
    text = (
        "import sys, scratchnet.export.onnx_model, scratchnet.export.safetensors_file; sys.exit('onnx' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", text], check=False).returncode == 0
