"""An emitted module run as a program: files of every kind it reads, and what it says of those it cannot."""

from __future__ import annotations

import gzip
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scratchnet import Dense, Flatten, Network, ReLU
from scratchnet.export import python
from scratchnet.export.python_source.functions import FUNCTIONS

NET = Network([Flatten(), Dense(6), ReLU(), Dense(4)], (1, 5, 7), backend="reference")
PIXELS = np.random.default_rng(0).integers(0, 256, (6, 5, 7), dtype=np.uint8)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.py"
    python(NET, path, style="packed")
    return path


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-I", *map(str, arguments)], capture_output=True, text=True)


def idx(array: np.ndarray) -> bytes:
    kind = {"u1": 8, "f4": 13}[array.dtype.str[1:]]
    big = array.astype(array.dtype.newbyteorder(">")).tobytes()
    return bytes([0, 0, kind, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + big


def test_it_classifies_files(model: Path, tmp_path: Path) -> None:
    unit = PIXELS[:, None].astype(np.float32) * np.float32(1 / 255)
    want = NET.predict(unit).argmax(axis=1)
    files = {"a.idx": idx(PIXELS), "a.idx.gz": gzip.compress(idx(PIXELS)), "f.idx": idx(unit[:, 0])}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    np.save(tmp_path / "a.npy", PIXELS)
    np.save(tmp_path / "f.npy", unit.astype(np.float64))
    for name in (*files, "a.npy", "f.npy"):
        done = run(model, tmp_path / name)
        rows = [line.split() for line in done.stdout.splitlines()]
        assert [int(row[0]) for row in rows] == list(range(6)), done.stderr
        assert [int(row[1]) for row in rows] == list(want)
        assert all(0.25 <= float(row[2]) <= 1 for row in rows)
    Image.fromarray(PIXELS[2]).save(tmp_path / "a.png")
    assert run(model, tmp_path / "a.png").stdout.split()[1] == str(want[2])


def test_help_and_what_it_refuses(model: Path, tmp_path: Path) -> None:
    assert "IDX" in run(model, "--help").stdout
    np.save(tmp_path / "wrong.npy", PIXELS[:, :3])
    (tmp_path / "text.npy").write_text("hello")
    (tmp_path / "cut.idx").write_bytes(idx(PIXELS)[:-1])
    (tmp_path / "cut.gz").write_bytes(gzip.compress(idx(PIXELS))[:40])
    (tmp_path / "bad.gz").write_bytes(gzip.compress(idx(PIXELS))[:10] + bytes([255]) * 40)
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    Image.fromarray(PIXELS[2] > 100).save(tmp_path / "bits.png")
    said = {
        "wrong.npy": "expected (N, 1, 5, 7), got (6, 3, 7)",
        "text.npy": "no IDX, NPY or PNG file",
        "cut.idx": "an IDX file of (6, 5, 7) uint8, but of 209 bytes",
        "cut.gz": "ended",
        "bad.gz": "invalid block type",
        "objects.npy": "pickle",
        "bits.png": "8 bits a channel",
        "none.idx": "No such file",
        "": "Is a directory",
    }
    for name, message in said.items():
        done = run(model, tmp_path / name)
        assert done.returncode == 1
        assert message in done.stderr
        assert "Traceback" not in done.stderr


def test_a_damaged_module_says_so(model: Path, tmp_path: Path) -> None:
    text = model.read_text(encoding="utf-8")
    at = text.index("unpack(\n") + 60
    (tmp_path / "bad.py").write_text(text[:at] + "aaaa" + text[at + 4 :], encoding="utf-8")
    done = run(tmp_path / "bad.py", "--help")
    assert done.returncode == 1
    assert "unpack" in done.stderr
    half = text.index('"float32",\n    "') + 16
    (tmp_path / "bad.py").write_text(text[:half] + "0" * 64 + text[half + 64 :], encoding="utf-8")
    assert "the file is damaged" in run(tmp_path / "bad.py", "--help").stderr


def png(picture: np.ndarray, filters: list[int]) -> bytes:
    """A PNG whose rows are filtered as told: the inverse of what is tested, row by row on whole numbers."""
    height, width, channels = picture.shape
    rows = picture.reshape(height, -1).astype(int)
    data = b""
    for y in range(height):
        up = rows[y - 1] if y else np.zeros_like(rows[0])
        left = np.concatenate([np.zeros(channels, int), rows[y][:-channels]])
        corner = np.concatenate([np.zeros(channels, int), up[:-channels]])
        p = left + up - corner
        a, b, c = abs(p - left), abs(p - up), abs(p - corner)
        paeth = np.where((a <= b) & (a <= c), left, np.where(b <= c, up, corner))
        guess = [0 * left, left, up, (left + up) // 2, paeth][filters[y]]
        data += bytes([filters[y]]) + ((rows[y] - guess) % 256).astype(np.uint8).tobytes()
    colour = {1: 0, 3: 2}[channels]
    chunks = {b"IHDR": struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0), b"IDAT": zlib.compress(data)}
    body = b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in {**chunks, b"IEND": b""}.items()
    )
    return b"\x89PNG\r\n\x1a\n" + body


def test_png_with_every_filter(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    for channels in (1, 3):
        picture = rng.integers(0, 256, (10, 9, channels), dtype=np.uint8)
        picture[5:] //= 100  # ties between the neighbours
        content = png(picture, [0, 1, 2, 3, 4, 4, 3, 2, 1, 0])
        (tmp_path / "a.png").write_bytes(content)
        pillow = np.asarray(Image.open(tmp_path / "a.png")).reshape(picture.shape)
        np.testing.assert_array_equal(pillow, picture)
        np.testing.assert_array_equal(FUNCTIONS["read_png"](content), picture.transpose(2, 0, 1)[None])
        for cut in range(8, len(content) - 12, 7):
            with pytest.raises(ValueError, match="PNG"):
                FUNCTIONS["read_png"](content[:cut])


def test_a_reader_that_has_heard_enough_ends_it_quietly(tmp_path: Path) -> None:
    net = Network([Flatten(), Dense(3)], (2, 2), backend="reference")
    python(net, tmp_path / "model.py")
    np.save(tmp_path / "x.npy", np.ones((200_000, 2, 2), np.float32))
    command = f"'{sys.executable}' model.py x.npy | head -1"
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.startswith("0 ")
    assert done.stderr == ""
