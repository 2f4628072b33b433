"""Reading exported Python back: what is not the emitter's is refused, with the place, and nothing of it ever runs."""

from __future__ import annotations

import base64
import os
import re
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest

from scratchnet import Dense, Network, ReLU
from scratchnet.export import load_source, python
from scratchnet.export.errors import ExportError
from scratchnet.export.python_source import load

NET = Network([Dense(4), ReLU(), Dense(3)], (5,), backend="reference", seed=1)


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refused(path: Path, text: str | bytes, match: str) -> None:
    with pytest.raises(ExportError, match=match) as error:
        load_source(write(path, text), backend="reference")
    assert str(path) in str(error.value)


def test_a_number_changed_by_hand_is_not_verified(tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    text = python(NET)
    number = re.search(r"-?\d\.\d{4,}", text[text.index("# fmt: off") :])
    assert number is not None
    loaded = load_source(write(path, text.replace(number.group(), "0.5")), backend="reference")
    assert not loaded.verified
    assert loaded.network.parameters.views["0.W"][0, 0] == 0.5


def test_a_packed_number_cannot_be_changed(tmp_path: Path) -> None:
    path, text = tmp_path / "model.py", python(NET, style="packed")
    at = text.index("unpack(\n") + 40
    refused(path, text[:at] + ("a" if text[at] != "a" else "b") + text[at + 1 :], "damaged|hash|bytes")
    other = Network([Dense(4), ReLU(), Dense(3)], (5,), backend="reference", seed=2)
    theirs = python(other, style="packed")
    fence = "# The numbers"
    swapped = text[: text.index(fence)] + theirs[theirs.index(fence) :]
    refused(path, swapped, "hash")


def test_packed_text_holds_what_it_says_and_no_more(tmp_path: Path) -> None:
    """A bomb, something after the end, something missing: refused, none of it unpacked beyond its array."""
    text = python(NET, style="packed")
    start = text.index('"""\n', text.index("W0 = unpack(")) + 4
    end = text.index('"""', start)
    real = zlib.decompress(base64.b85decode(text[start:end].replace("\n", "")))
    bomb, whole = zlib.compress(bytes(1 << 28), 9), zlib.compress(real)
    for content in (bomb, whole + b"more", whole[:-1], zlib.compress(real + b"\0"), zlib.compress(real[:-1])):
        encoded = base64.b85encode(content).decode()
        packed = "\n".join(encoded[at : at + 115] for at in range(0, len(encoded), 115))
        tracemalloc.start()
        refused(tmp_path / "model.py", text[:start] + packed + "\n" + text[end:], "does not hold 80 bytes|damaged")
        assert tracemalloc.get_traced_memory()[1] < 20e6
        tracemalloc.stop()


@pytest.mark.parametrize("style", ["literal", "packed"])
@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("import numpy as np", "import numpy as np, os", r"line \d+"),
        ("    h2 = relu(h1)", "    h2 = relu(h1 + 1)", r"h2 = relu\(h1\)"),
        (
            '\nif __name__ == "__main__":',
            '\nopen("ran", "w")\nif __name__ == "__main__":',
            "not what scratchnet writes",
        ),
        ("epochs: 3", "epochs: 4", "SHA-256 of the lines above"),
        ("scratchnet version: ", "scratchnet version: 9.", "another version"),
        ("parameters: 39", "parameters: 40", "another number of parameters"),
        ("ReLU()", "Tanh()", "not what"),
        ("ReLU()", "__import__('os')", "describes no network"),
        ("Dense(4)", "Dense(999999999999)", "too large"),
        ('"input_shape": [5]', '"input_shape": [-5]', "describes no network"),
        ('"layers"', '"lawyers"', "describes no network"),
        ("style: ", "style: other ", "unknown style"),
        ('"seed": 1', '"seed": ' + "[" * 5000, "cannot be read"),
    ],
)
def test_whatever_is_changed_is_refused(style, old: str, new: str, match: str, tmp_path: Path) -> None:
    text = python(NET, style=style, facts={"epochs": 3})
    assert old in text
    refused(tmp_path / "model.py", text.replace(old, new, 1), match)
    assert not Path("ran").exists()


def test_files_of_another_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, path = python(NET), tmp_path / "model.py"
    refused(path, "print('hello')\n", "no network that scratchnet exported")
    refused(path, b"", "no network")
    refused(path, text.encode() + b"\xff", "UTF-8")
    refused(path, text.replace("h1", "h\0"), "no network")
    refused(path, text[:3000], "line")
    refused(path, text + "x = 1\n", "actual: +'x = 1'")
    refused(path, text.replace("\n", "\r\n"), "no network")
    for missing in (tmp_path / "none.py", tmp_path):
        with pytest.raises(ExportError, match=re.escape(str(missing))):
            load_source(missing)
    monkeypatch.setattr(load, "LARGEST_FILE", 1000)
    refused(path, text, "too large")


def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    with pytest.raises(ExportError, match="no file"):
        load_source(tmp_path / "pipe.py")


def test_a_number_that_float32_cannot_hold(tmp_path: Path) -> None:
    text = python(NET)
    start = text.index("# fmt: off")
    number = re.compile(r"-?\d\.\d{4,}")
    for bad in ("1e39", "1e999", "9" * 40 + "e300"):
        refused(tmp_path / "model.py", text[:start] + number.sub(bad, text[start:], count=1), "too large for float32")
    for bad in ("nan", "0x1p3", "1_0", "+1.0", "", "1.5 ", "１"):
        refused(tmp_path / "model.py", text[:start] + number.sub(bad, text[start:], count=1), "holds no numbers")


def test_numbers_are_the_shortest_that_give_their_bits(tmp_path: Path) -> None:
    """Float32 of every exponent, subnormal, extreme, and both zeros; in float64 too."""
    rng = np.random.default_rng(0)
    for dtype, whole in (("float32", np.uint32), ("float64", np.uint64)):
        net = Network([Dense(40)], (50,), backend="reference", dtype=dtype)
        bits = rng.integers(0, np.iinfo(whole).max, (40, 50), dtype=whole)
        values = bits.view(dtype)
        values[~np.isfinite(values)] = 1
        values[0, :5] = -0.0, np.finfo(dtype).tiny, np.finfo(dtype).max, np.finfo(dtype).smallest_subnormal, 0.1
        net.parameters.views["0.W"][...] = values
        for style in ("literal", "packed"):
            path = tmp_path / "model.py"
            text = python(net, path, style=style)
            loaded = load_source(path, backend="reference")
            assert loaded.verified
            got = loaded.network.parameters.views["0.W"]
            assert got.tobytes() == net.parameters.views["0.W"].tobytes()
            assert max(map(len, text.split("\n"))) <= 120
