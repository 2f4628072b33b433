"""The program that a C file is with SCRATCHNET_MAIN: what it classifies, and what it refuses."""

from __future__ import annotations

import gzip
import struct
import subprocess

import numpy as np
import pytest

from scratchnet.export import c

from .compiled import compiled, needs_compiler, samples
from .test_c_file import cnn


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
        (gzip.compress(idx(8, (2, 6, 6), bytes(72)), mtime=0), 4, "unpacked"),
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
