"""Networks in Lean: the file is by the grammar, its numbers are the network's, and its terms compute its logits."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import (
    ELU,
    GELU,
    Conv2d,
    Dense,
    Flatten,
    LayerNorm,
    LeakyReLU,
    LogSoftmax,
    Network,
    ReLU,
    Residual,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Square,
    Tanh,
)
from scratchnet.export import lean, read_lean
from scratchnet.export.errors import ExportError
from scratchnet.export.lean_source.grammar import parse

from .lean_run import Run

ACTIVATIONS = [
    ReLU(), LeakyReLU(0.2), ELU(0.5), Sigmoid(), Tanh(), GELU("tanh"), SiLU(), Softplus(2.0, 3.0), Square(), Softmax(),
    LogSoftmax(), LeakyReLU(-0.5),
]  # fmt: skip
FACTS = {"data": "drawn digits", "epochs": 3}


def mlp(dtype="float32", **settings):
    layers = [Flatten(), Dense(5), ReLU(), Dense(3, bias=False)]
    return Network(layers, (2, 2), backend="reference", dtype=dtype, **settings)


@given(
    activations=st.lists(st.sampled_from(ACTIVATIONS), min_size=1, max_size=3),
    widths=st.lists(st.integers(1, 9), min_size=4, max_size=4),
    bias=st.booleans(),
    dtype=st.sampled_from(["float32", "float64"]),
    seed=st.integers(0, 99),
)
def test_the_terms_compute_the_logits(activations, widths, bias, dtype, seed):
    layers = [layer for a, n in zip(activations, widths, strict=False) for layer in (Dense(n, bias=bias), a)]
    net = Network([*layers, Dense(3)], (widths[-1],), backend="reference", dtype=dtype, seed=seed)
    run = Run(parse(lean(net)), dtype)
    x = np.random.default_rng(seed).normal(size=(2, widths[-1])).astype(dtype)
    for row, wanted in zip(x, net.predict(x), strict=True):
        found = run.call("logits", list(row))
        limit = {"float32": 1e-5, "float64": 1e-13}[dtype]
        assert np.abs(found - wanted).max() <= limit * np.abs(wanted).max()
        assert run.call("predict", list(row)) == np.argmax(found)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_numbers_come_back(dtype, tmp_path):
    net = mlp(dtype)
    least = np.finfo(dtype).smallest_subnormal
    net.parameters.views["1.b"][...] = [-0.0, np.finfo(dtype).max, least, -1e-7, 1e20]
    text = lean(net, tmp_path / "model.lean", facts=FACTS)
    assert text == lean(net, facts=FACTS) == (tmp_path / "model.lean").read_text()
    listing = read_lean(tmp_path / "model.lean")
    assert listing.verified
    assert listing.metadata["trained on"] == "drawn digits"
    assert listing.arrays.keys() == net.parameters.views.keys()
    for name, values in net.parameters.views.items():
        kind = f"u{values.itemsize}"
        np.testing.assert_array_equal(listing.arrays[name].view(kind), values.view(kind), strict=True)


def test_tied_parameters_come_back_under_both_names(tmp_path):
    net = Network([Dense(4), Dense(4)], (4,), backend="reference", ties={"1.W": "0.W"})
    assert "1.W is 0.W" in lean(net, tmp_path / "model.lean")
    assert read_lean(tmp_path / "model.lean").verified


@pytest.mark.parametrize(
    ("layers", "shape", "said"),
    [
        ([Conv2d(2, 3), Flatten(), Dense(2)], (1, 5, 5), "op conv2d"),
        ([Dense(3), GELU(), Dense(2)], (4,), "op gelu"),
        ([Residual(Dense(4))], (4,), "op add"),
        ([LayerNorm(), Dense(2)], (4,), "op layer_norm"),
        ([ReLU()], (4,), "Dense layers"),
    ],
)
def test_other_layers_are_refused(layers, shape, said):
    net = Network(layers, shape, backend="reference")
    with pytest.raises(ExportError, match=said):
        lean(net)


CHANGES = [
    ("(5 x 4)", "(4 x 5)"),
    ("(5 x 4)", "(9999999999 x 9999999999)"),
    ("def W1 ", "def W2 "),
    ("Array (Array Float32) := #[", "Array (Array Float32) := #[#[],"),
    ("  let h2 :=", "   let h2 :="),
    ("end Scratchnet", "#eval 1\nend Scratchnet"),
    ("end Scratchnet", "end Scratchnet\nend"),
    ("namespace", "import Lean\nnamespace"),
    ("/-!", "/-! /- "),
    ("0.", "00."),
    ("0.", "0.e"),
    (":= #[", f":= {'(' * 5000}#["),
    ("(fun v =>", "(by simp =>"),
    ("A network that", "A web that"),
]


@pytest.mark.parametrize("change", CHANGES)
def test_what_the_exporter_would_not_write_is_refused(change, tmp_path):
    text = lean(mlp(), facts=FACTS)
    head, fence, rest = text.partition("/-- 1.W") if change[0] == "0." else ("", "", text)
    assert change[0] in rest
    (tmp_path / "model.lean").write_text(head + fence + rest.replace(change[0], change[1], 1))
    with pytest.raises(ExportError):
        read_lean(tmp_path / "model.lean")


def test_arguments_stand_further_right_than_their_let():
    """As in Lean: what stands below the let is no argument, and without that rule `h1 h2` would be a call."""
    module = parse("/-! -/ namespace A\ndef f (x : Nat) : Nat :=\n  let y := g x\n  y\nend A\n")
    term = module.definitions["f"].term
    assert [term.kind, term.parts[0].kind, term.parts[1].kind] == ["let", "call", "name"]


def test_a_changed_number_is_seen(tmp_path):
    text = lean(mlp())
    digit = re.compile(r"[1-8],").search(text, text.index("def W1")).start()
    (tmp_path / "model.lean").write_text(text[:digit] + str(int(text[digit]) + 1) + text[digit + 1 :])
    assert not read_lean(tmp_path / "model.lean").verified


def test_mutated_files_are_refused_or_read(tmp_path):
    """Never anything but an ExportError, and no changed number goes for verified."""
    net = mlp()
    whole, wanted = lean(net, facts=FACTS).encode(), net.parameters.snapshot()
    rng, path, read = np.random.default_rng(0), tmp_path / "model.lean", 0
    for _ in range(400):
        data, at = bytearray(whole), int(rng.integers(0, len(whole)))
        kind = rng.integers(0, 4)
        if kind == 0:
            data[at] ^= 1 << int(rng.integers(0, 8))
        elif kind == 1:
            del data[at : at + int(rng.integers(1, 40))]
        elif kind == 2:
            data[at:at] = data[: int(rng.integers(1, 400))]
        else:
            data = data[:at]
        path.write_bytes(data)
        try:
            listing = read_lean(path)
        except ExportError:
            continue
        read += 1
        same = all(np.array_equal(listing.arrays.get(name), values) for name, values in wanted.items())
        assert not listing.verified or same
    assert read > 0


def test_what_is_no_file_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none", "/dev/zero"):
        with pytest.raises(ExportError):
            read_lean(path)
