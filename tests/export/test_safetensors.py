"""Safetensors files: PyTorch's state_dict in both directions, and files that somebody has tampered with."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scratchnet import (
    GRU,
    LSTM,
    RNN,
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    ConvTranspose2d,
    Dense,
    Embedding,
    Flatten,
    GroupNorm,
    LayerNorm,
    MultiHeadAttention,
    Network,
    ReLU,
    Residual,
    RMSNorm,
    Sequential,
)
from scratchnet.export import load_safetensors, read_safetensors, safetensors
from scratchnet.export.errors import ExportError


def nets(layers: list, shape: tuple, **settings: Any) -> tuple[Network, Network]:
    """One with numbers of its own, and another to load them into."""
    settings = {"backend": "reference"} | settings
    net = Network(layers, shape, **settings)
    rng = np.random.default_rng(1)
    for segment in net.parameters.segments:
        net.views[segment][...] += 0.1 * rng.normal(size=net.views[segment].shape)
    for view in net.buffers.views.values():
        view[...] = rng.uniform(0.5, 1.5, view.shape)
    return net, Network(layers, shape, seed=1, **settings)


def equal(a: Network, b: Network) -> bool:
    return all(np.array_equal(view, b.views[name]) for name, view in a.views.items())


def torch_cases() -> list:
    """(id, ours, sample shape, torch's, how torch is called)."""
    nn = pytest.importorskip("torch").nn
    return {
        "mlp": ([Dense(5), ReLU(), Dense(3, bias=False)], (4,),
                nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3, bias=False))),
        "cnn": ([Conv2d(4, 3, groups=2), BatchNorm2d(), ReLU(), ConvTranspose2d(6, 2, stride=2, groups=2), GroupNorm(2),
                 Flatten(), LayerNorm(), RMSNorm(), BatchNorm1d(), Dense(3)], (2, 5, 5),
                nn.Sequential(nn.Conv2d(2, 4, 3, groups=2), nn.BatchNorm2d(4), nn.ReLU(),
                              nn.ConvTranspose2d(4, 6, 2, stride=2, groups=2), nn.GroupNorm(2, 6), nn.Flatten(),
                              nn.LayerNorm(216), nn.RMSNorm(216), nn.BatchNorm1d(216), nn.Linear(216, 3))),
        "nested": ([Sequential(ReLU(), Dense(4)), Dense(2)], (4,),
                   nn.Sequential(nn.Sequential(nn.ReLU(), nn.Linear(4, 4)), nn.Linear(4, 2))),
        "lstm": ([LSTM(4)], (5, 3), nn.Sequential(nn.LSTM(3, 4, batch_first=True))),
        "gru": ([GRU(4)], (5, 3), nn.Sequential(nn.GRU(3, 4, batch_first=True))),
        "rnn": ([RNN(4, bias=False)], (5, 3), nn.Sequential(nn.RNN(3, 4, batch_first=True, bias=False))),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["mlp", "cnn", "nested", "lstm", "gru", "rnn"])
def test_both_ways_to_torch(name: str, tmp_path: Path) -> None:
    """Ours loads with strict=True and predicts the same; torch's own numbers come back and predict the same."""
    torch, library = pytest.importorskip("torch"), pytest.importorskip("safetensors.torch")
    layers, shape, theirs = torch_cases()[name]
    net, other = nets(layers, shape)
    x = np.random.default_rng(0).normal(size=(6, *shape)).astype(np.float32)
    path = tmp_path / "m.safetensors"

    def of_torch() -> np.ndarray:
        with torch.no_grad():
            y = theirs.eval()(torch.tensor(x))
        return (y[0] if isinstance(y, tuple) else y).numpy()

    library.save_file(theirs.state_dict(), path)
    before = of_torch()
    assert not load_safetensors(path, other)
    np.testing.assert_allclose(other.predict(x), before, rtol=1e-4, atol=1e-5)

    safetensors(net, path)
    theirs.load_state_dict(library.load_file(path), strict=True)
    np.testing.assert_allclose(of_torch(), net.predict(x), rtol=1e-4, atol=1e-5)
    assert not np.allclose(before, of_torch(), atol=1e-3)


def test_attention_embedding_and_named_modules(tmp_path: Path) -> None:
    torch, library = pytest.importorskip("torch"), pytest.importorskip("safetensors.torch")

    class Block(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = torch.nn.Embedding(7, 6)
            self.attention = torch.nn.MultiheadAttention(2 * 3, 2, batch_first=True)
            self.norms = torch.nn.ModuleDict({"last": torch.nn.LayerNorm(6)})

        def forward(self, x: Any) -> Any:
            h = self.words(x)
            return self.norms["last"](h + self.attention(h, h, h)[0])

    net, other = nets([Embedding(7, 6), Residual(MultiHeadAttention(2)), LayerNorm()], (4,))
    modules = {"0": "words", "1.body": "attention", "2": "norms.last"}
    block, path = Block().eval(), tmp_path / "m.safetensors"
    x = np.random.default_rng(0).integers(0, 7, (5, 4))
    safetensors(net, path, modules=modules)
    block.load_state_dict(library.load_file(path), strict=True)
    with torch.no_grad():
        np.testing.assert_allclose(block(torch.tensor(x)).numpy(), net.predict(x), rtol=1e-4, atol=1e-5)
    library.save_file(block.state_dict(), path)
    load_safetensors(path, other, modules=modules)
    assert equal(net, other)


def test_ours_comes_back_verified_and_bytes_are_the_same(tmp_path: Path) -> None:
    net, other = nets([Dense(4), ReLU(), Dense(4), BatchNorm1d()], (4,), ties={"2.W": "0.W"})
    one, two = tmp_path / "one", tmp_path / "two"
    safetensors(net, one, facts={"epochs": 3})
    assert load_safetensors(one, other)
    assert equal(net, other)
    safetensors(net, two, facts={"epochs": 3})
    assert one.read_bytes() == two.read_bytes()
    held = read_safetensors(one)
    assert held.verified
    assert held.metadata["epochs"] == "3"
    assert set(held.arrays) == {"0.weight", "0.bias", "2.weight", "2.bias", "3.weight", "3.bias", "3.running_mean",
                                "3.running_var", "3.num_batches_tracked"}  # fmt: skip


def test_the_library_reads_views_as_they_are(tmp_path: Path) -> None:
    """It writes the memory of a view and not what it shows; here arrays are made contiguous first."""
    library = pytest.importorskip("safetensors.numpy")
    net, _ = nets([Dense(3)], (4,))
    turned = net.views["0.W"].T
    assert not np.array_equal(library.load(library.save({"w": turned}))["w"], turned)
    from scratchnet.checkpoint.file import write_arrays

    write_arrays(tmp_path / "m", {"w": turned}, {})
    np.testing.assert_array_equal(library.load_file(tmp_path / "m")["w"], turned)


@pytest.mark.parametrize("kind", ["float64", "float16", "bfloat16"])
def test_other_floats_are_cast(kind: str, tmp_path: Path) -> None:
    torch, library = pytest.importorskip("torch"), pytest.importorskip("safetensors.torch")
    made = torch.nn.Sequential(torch.nn.Linear(4, 3)).to(getattr(torch, kind))
    library.save_file(made.state_dict(), tmp_path / "m")
    _, net = nets([Dense(3)], (4,))
    assert not load_safetensors(tmp_path / "m", net)
    np.testing.assert_array_equal(net.views["0.W"], made[0].weight.detach().float().numpy())


def written(path: Path, arrays: dict, told: dict | None = None) -> Path:
    from scratchnet.checkpoint.file import write_arrays

    write_arrays(path, arrays, told or {})
    return path


W, B = np.zeros((3, 4), np.float32), np.zeros(3, np.float32)
UNFIT = {
    "missing": ({"0.weight": W}, "missing: 0.bias; unknown: none"),
    "unknown": ({"0.weight": W, "0.bias": B, "1.weight": W}, "missing: none; unknown: 1.weight"),
    "shape": ({"0.weight": W.T, "0.bias": B}, "wrong shape"),
    "integers": ({"0.weight": W.astype(np.int32), "0.bias": B}, "no floats"),
    "infinite": ({"0.weight": W, "0.bias": B + np.inf}, "not finite"),
    "too large": ({"0.weight": W, "0.bias": np.full(3, 1e300)}, "not finite"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_does_not_fit_changes_nothing(name: str, tmp_path: Path) -> None:
    arrays, message = UNFIT[name]
    net, _ = nets([Dense(3)], (4,))
    before = net.parameters.snapshot()
    with pytest.raises(ExportError, match=message):
        load_safetensors(written(tmp_path / "m", arrays), net)
    assert all(np.array_equal(net.views[key], array) for key, array in before.items())


def test_tied_parameters_that_differ_are_refused(tmp_path: Path) -> None:
    net, _ = nets([Dense(4, bias=False), Dense(4, bias=False)], (4,), ties={"1.W": "0.W"})
    one, two = np.ones((4, 4), np.float32), np.zeros((4, 4), np.float32)
    with pytest.raises(ExportError, match="tied parameters differ"):
        load_safetensors(written(tmp_path / "m", {"0.weight": one, "1.weight": two}), net)
    load_safetensors(written(tmp_path / "m", {"1.weight": one}), net)
    np.testing.assert_array_equal(net.views["0.W"], one)


def test_module_names_that_belong_to_no_layer(tmp_path: Path) -> None:
    net, _ = nets([Dense(4), ReLU(), Dense(4)], (4,))
    with pytest.raises(ExportError, match="no layer with parameters"):
        safetensors(net, tmp_path / "m", modules={"1": "relu"})
    with pytest.raises(ExportError, match="two arrays of one name"):
        safetensors(net, tmp_path / "m", modules={"0": "fc", "2": "fc"})


def test_what_cannot_be_written_or_read(tmp_path: Path) -> None:
    net, _ = nets([Dense(4)], (4,))
    for path in (tmp_path / "none" / "m", tmp_path):
        with pytest.raises(ExportError, match="cannot be written"):
            safetensors(net, path)
        with pytest.raises(ExportError):
            load_safetensors(path, net)
    net.views["0.W"][0, 0] = np.inf
    with pytest.raises(ExportError, match="not finite"):
        safetensors(net, tmp_path / "m")


def test_gaps_overlaps_and_names_that_stand_twice(tmp_path: Path) -> None:
    def entry(start: int, stop: int, kind: str = "F32") -> str:
        return json.dumps({"dtype": kind, "shape": [(stop - start) // 4], "data_offsets": [start, stop]})

    headers = [
        (f'{{"a": {entry(0, 4)}, "b": {entry(8, 12)}}}', 12),
        (f'{{"a": {entry(0, 8)}, "b": {entry(4, 12)}}}', 12),
        (f'{{"a": {entry(0, 4)}, "a": {entry(4, 8)}}}', 8),
        (f'{{"a": {entry(0, 4)}}}', 8),
        (f'{{"a": {entry(0, 4, "F8_E4M3")}}}', 4),
    ]
    for header, size in headers:
        (tmp_path / "m").write_bytes(struct.pack("<Q", len(header)) + header.encode() + bytes(size))
        with pytest.raises(ExportError, match="no safetensors file"):
            read_safetensors(tmp_path / "m")


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    net, _ = nets([Dense(4), ReLU(), BatchNorm1d(), Dense(3)], (5,))
    safetensors(net, tmp_path / "m", facts={"epochs": 3})
    return (tmp_path / "m").read_bytes()


def test_a_flip_in_a_number_is_refused(content: bytes, tmp_path: Path) -> None:
    _, net = nets([Dense(4), ReLU(), BatchNorm1d(), Dense(3)], (5,))
    (tmp_path / "m").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    before = net.parameters.snapshot()
    with pytest.raises(ExportError, match="not the numbers that were written"):
        load_safetensors(tmp_path / "m", net)
    assert all(np.array_equal(net.views[name], array) for name, array in before.items())
    assert not read_safetensors(tmp_path / "m").verified
