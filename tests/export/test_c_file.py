"""The C file itself: its text, its numbers, its stack, and what is refused."""

from __future__ import annotations

import ctypes
import re

import numpy as np
import pytest

from scratchnet import (
    LSTM,
    Conv2d,
    Dense,
    Embedding,
    Flatten,
    MaxPool2d,
    MultiHeadAttention,
    Network,
    Parallel,
    QueryMemory,
    ReLU,
)
from scratchnet.export import c
from scratchnet.export.errors import ExportError

from .compiled import COMPILERS, apart, compiled, library, logits, needs_compiler, predict, samples

FACTS = {"data": "drawn digits", "epochs": 3, "test_accuracy": 0.5}


def mlp(**settings):
    return Network([Dense(5), ReLU(), Dense(3)], (4,), backend="reference", **settings)


def cnn():
    layers = [Conv2d(3, 3, padding=1), ReLU(), MaxPool2d(2), Flatten(), Dense(4)]
    return Network(layers, (1, 6, 6), backend="reference")


def tokens():
    return Network([Embedding(9, 4), LSTM(3, last=True), Parallel(Dense(2), Dense(3))], (5,), backend="reference")


def test_the_same_network_gives_the_same_bytes(tmp_path):
    text = c(cnn(), tmp_path / "model.c", facts=FACTS)
    assert text == c(cnn(), facts=FACTS) == (tmp_path / "model.c").read_text()
    assert max(map(len, text.splitlines())) <= 120
    assert "   test accuracy: 0.5\n" in text


def test_the_body_reads_like_the_network():
    body = c(mlp()).split("\nvoid scratchnet_logits")[2]
    calls = [line.strip() for line in body.split("}")[0].splitlines() if line.endswith(";")]
    assert calls == [
        "float h1[5];",
        "dense(1, 4, 5, x, W0, b0, h1);",
        "relu(5, h1, h1);",
        "dense(1, 5, 3, h1, W2, b2, logits);",
    ]


@needs_compiler
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_constant_has_the_same_bits(compiler, dtype, tmp_path):
    net = Network(Dense(8), (40,), backend="reference", dtype=dtype)
    kind = np.dtype(f"u{net.dtype.itemsize}")
    W = np.random.default_rng(0).integers(0, np.iinfo(kind).max, (8, 40), kind, endpoint=True).view(net.dtype)
    limits = np.finfo(net.dtype)
    W[~np.isfinite(W)] = 1
    W[0, :8] = [
        -0.0,
        0,
        limits.max,
        limits.min,
        limits.tiny,
        limits.smallest_subnormal,
        -limits.smallest_subnormal,
        0.1,
    ]
    net.parameters.load({**net.parameters.snapshot(), "0.W": W})
    text = c(net) + "\nconst void *weights(void);\nconst void *weights(void) { return W0; }\n"
    lib = ctypes.CDLL(str(compiled(tmp_path, {"m.c": text}, "m.so", "-shared", "-fPIC", compiler=compiler)))
    lib.weights.restype = ctypes.c_void_p
    found = np.frombuffer(ctypes.string_at(lib.weights(), W.nbytes), kind).reshape(W.shape)
    np.testing.assert_array_equal(found, W.view(kind))


@needs_compiler
def test_the_stack_is_what_the_comment_says(tmp_path):
    text = c(cnn())
    said = int(re.search(r"take (\d+) bytes of the stack", text)[1])
    if COMPILERS[0] != "gcc":
        pytest.skip("runs where gcc is installed, which tells the stack: apt-get install gcc")
    compiled(tmp_path, {"m.c": text}, "m.o", "-c", "-O0", "-fstack-usage")
    used = dict(re.findall(r":(\w+)\t(\d+)\t", (tmp_path / "m.su").read_text()))
    arrays = int(used["scratchnet_logits"]) + int(used["scratchnet_predict"])
    assert 0 <= arrays - said < 1024, "besides the arrays there are but counters, pointers and settings"


@needs_compiler
def test_what_is_no_number_is_no_class(tmp_path):
    net, words = mlp(), tokens()
    lib = library(tmp_path, {"net": net, "words": words})
    x = samples(net, 3)
    x[1, 2] = np.nan
    assert predict(lib, "net", net, x)[1] == -1
    assert np.isnan(logits(lib, "net", net, x)[1]).all()
    assert -1 not in predict(lib, "net", net, x[[0, 2]])
    for bad in (-1, 9, 2**31 - 1):
        assert predict(lib, "words", words, np.array([[0, 1, bad, 2, 3]])) == [-1]


@needs_compiler
def test_an_input_of_two_arrays_is_two_arguments(tmp_path):
    net = Network(MultiHeadAttention(2), QueryMemory((3, 4), (5, 4)), backend="reference")
    text = c(net)
    assert "void scratchnet_logits(const float *query, const float *memory, float *logits);" in text
    assert "scratchnet_predict" not in text, "a class is a place in one row of numbers"
    x = samples(net, 2)
    assert apart(logits(library(tmp_path, {"net": net}), "net", net, x), net.predict(x)) < 1e-5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda net: net.parameters.views["0.W"].__setitem__((1, 2), np.nan), "0.W"),
        (lambda net: net.parameters.views["2.b"].__setitem__(0, np.inf), "2.b"),
    ],
)
def test_numbers_that_are_not_finite_are_refused(change, said):
    net = mlp()
    change(net)
    with pytest.raises(ExportError, match="not finite") as error:
        c(net)
    assert error.value.where == said


def test_what_c_cannot_say_is_refused(tmp_path):
    with pytest.raises(ExportError, match="float32 and float64"):
        c(mlp(dtype="float16"))
    with pytest.raises(ExportError, match="prefix"):
        c(mlp(), prefix="a b")
    with pytest.raises(ExportError, match="cannot be written"):
        c(mlp(), tmp_path / "none" / "model.c")
    with pytest.raises(ExportError, match="cannot be written"):
        c(mlp(), tmp_path)
