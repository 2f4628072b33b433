"""The C file itself: its numbers, its stack, its program, what is refused; and reading it back."""

from __future__ import annotations

import ctypes
import re
import struct
import subprocess
from typing import NamedTuple

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
from scratchnet.export.c import c, read_c
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


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("program")
    return compiled(folder, {"m.c": c(cnn())}, "classify", "-O1", "-DSCRATCHNET_MAIN")


def run(program, *arguments, **settings):
    return subprocess.run([program, *arguments], capture_output=True, text=True, **settings)


def idx(kind, shape, data):
    return bytes([0, 0, kind, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + data


@needs_compiler
def test_the_program_classifies_files(program, tmp_path):
    net, file = cnn(), tmp_path / "samples"
    x = samples(net, 40)
    pixels = np.random.default_rng(0).integers(0, 256, x.shape).astype(np.uint8)
    scaled = pixels * np.float32(1 / 255)
    for data, wanted in [
        (x.astype("<f4").tobytes(), x),
        (idx(0x0D, (40, 6, 6), x.astype(">f4").tobytes()), x),
        (idx(0x08, (40, 6, 6), pixels.tobytes()), scaled),
    ]:
        file.write_bytes(data)
        done = run(program, file)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.split() == [str(label) for label in net.predict(wanted).argmax(1)]


@needs_compiler
@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        (b"", 4, "holds no sample"),
        (b"1234567", 4, "ends before"),
        (bytes(36 * 4 + 2), 4, "ends before"),
        (idx(8, (2, 6, 6), bytes(71)), 4, "ends before"),
        (idx(8, (2, 6, 6), bytes(73)), 4, "goes on after"),
        (idx(8, (2, 6, 7), bytes(84)), 4, "do not have 36 numbers"),
        (idx(8, (2, 2**31, 2**31, 9), b""), 4, "do not have 36 numbers"),
        (idx(8, (0, 6, 6), b""), 4, "holds no sample"),
        (idx(8, (2, 6, 6), b"")[:9], 4, "do not have 36 numbers"),
    ],
)
def test_the_program_refuses_what_is_no_such_file(program, data, code, said, tmp_path):
    (tmp_path / "samples").write_bytes(data)
    done = run(program, tmp_path / "samples")
    assert done.returncode == code
    assert said in done.stderr


@needs_compiler
def test_the_program_says_what_it_cannot_read_and_write(program, tmp_path):
    assert run(program).returncode == 2
    assert run(program, tmp_path / "none").returncode == 3
    assert run(program, tmp_path).returncode == 3
    (tmp_path / "samples").write_bytes(bytes(36 * 4))
    with open("/dev/full", "w") as full:
        assert subprocess.run([program, tmp_path / "samples"], stdout=full, stderr=subprocess.DEVNULL).returncode == 5


@pytest.mark.parametrize("make", [mlp, cnn, tokens, lambda: mlp(dtype="float64")])
def test_the_numbers_come_back(make, tmp_path):
    net = make()
    c(net, tmp_path / "model.c", facts=FACTS)
    listing = read_c(tmp_path / "model.c")
    assert listing.verified
    assert "epochs: 3" in listing.lines
    wanted = {**net.parameters.views, **net.buffers.views}
    assert listing.arrays.keys() == wanted.keys()
    for name, values in wanted.items():
        np.testing.assert_array_equal(listing.arrays[name], values, strict=True)


def test_tied_parameters_come_back_under_both_names(tmp_path):
    net = Network([Dense(4), Dense(4)], (4,), backend="reference", ties={"1.W": "0.W"})
    assert c(net, tmp_path / "model.c").count("static const") == 3
    assert read_c(tmp_path / "model.c").verified


def test_a_changed_number_is_seen(tmp_path):
    text = c(mlp(), facts=FACTS)
    place = text.index("{\n", text.index("W0[")) + 7
    digit = re.compile(r"[1-8]").search(text, place).start()
    (tmp_path / "model.c").write_text(text[:digit] + str(int(text[digit]) + 1) + text[digit + 1 :])
    assert not read_c(tmp_path / "model.c").verified


class Hostile(NamedTuple):
    """A change to a file, by the text that is replaced."""

    old: str
    new: str


@pytest.mark.parametrize(
    "change",
    [
        Hostile("(5 x 4)", "(5 x 5)"),
        Hostile("(5 x 4)", "(2147483647 x 4)"),
        Hostile("(5 x 4)", "(9999999999 x 9999999999)"),
        Hostile("[5 * 4]", "[5 * 3]"),
        Hostile("float W0", "double W0"),
        Hostile("static const float W0", "static float W0"),
        Hostile("#include <stddef.h>", '#include "/etc/passwd"'),
        Hostile("\nint scratchnet_predict(const float *x);", "\nint system(const char *x);"),
        Hostile("/* 2.b:", "/* 0.b:"),
        Hostile("};", "}; system(0);"),
        Hostile("f, ", ", "),
        Hostile("f, ", "f,  "),
        Hostile("    0.", "    00."),
        Hostile("    0.", "    nan, 0."),
        Hostile("    0.", "    1e999f, 0."),
        Hostile("   epochs: 3", "   epochs 3"),
    ],
)
def test_what_the_exporter_would_not_write_is_refused(change, tmp_path):
    text = c(mlp(), facts=FACTS)
    text = re.sub(r"\{\n    -", "{\n    ", text)
    assert change.old in text
    (tmp_path / "model.c").write_text(text.replace(change.old, change.new, 1))
    with pytest.raises(ExportError, match=r"."):
        read_c(tmp_path / "model.c")


def test_mutated_files_are_refused_or_read(tmp_path):
    """Never anything but an ExportError, and no changed number goes for verified."""
    net = mlp()
    whole = c(net, facts=FACTS).encode()
    end = whole.index(b"/* The functions")
    wanted = net.parameters.snapshot()
    rng, path = np.random.default_rng(0), tmp_path / "model.c"
    read = 0
    for _ in range(400):
        data, at = bytearray(whole), int(rng.integers(0, end))
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
            listing = read_c(path)
        except ExportError:
            continue
        read += 1
        same = all(np.array_equal(listing.arrays.get(name), values) for name, values in wanted.items())
        assert not listing.verified or same
    assert read > 0


def test_what_is_no_file_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none", "/dev/zero"):
        with pytest.raises(ExportError):
            read_c(path)
