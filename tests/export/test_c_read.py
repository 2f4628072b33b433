"""The numbers of a C file, read back without a compiler; and files that somebody changed."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import pytest

from scratchnet import Dense, Network
from scratchnet.export import c, read_c
from scratchnet.export.errors import ExportError

from .test_c_file import FACTS, cnn, mlp, tokens


@pytest.mark.parametrize("make", [mlp, cnn, tokens, lambda: mlp(dtype="float64")])
def test_the_numbers_come_back(make, tmp_path):
    net = make()
    c(net, tmp_path / "model.c", facts=FACTS)
    listing = read_c(tmp_path / "model.c")
    assert listing.verified
    assert listing.metadata["epochs"] == "3"
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
