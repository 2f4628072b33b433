import importlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from click.testing import CliRunner

from scratchnet.data import write_idx

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
NOWHERE = "http://127.0.0.1:9"  # a proxy that refuses at once: no network


class Ended(NamedTuple):
    """How a run ended."""

    code: int
    out: str
    err: str


def environment(home, **more):
    """The environment of a run that finds no data but what it is given, and no network."""
    own = {name: value for name, value in os.environ.items() if name not in ("SCRATCHNET_DATA", "FORCE_COLOR")}
    paths = os.pathsep.join(filter(None, [str(ROOT / "kernels"), str(ROOT), os.environ.get("PYTHONPATH")]))
    proxies = {"http_proxy": NOWHERE, "https_proxy": NOWHERE, "HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE}
    return own | proxies | {"XDG_CACHE_HOME": str(home / "cache"), "COLUMNS": "80", "PYTHONPATH": paths} | more


@pytest.fixture
def start(tmp_path):
    """start("mnist_manual", *arguments, COLUMNS="20") runs an example as a process of its own."""

    def run(example, *arguments, timeout=100, **more):
        command = [sys.executable, str(EXAMPLES / f"{example}.py"), *map(str, arguments)]
        done = subprocess.run(
            command, env=environment(tmp_path, **more), cwd=tmp_path, capture_output=True, timeout=timeout, check=False
        )
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture(scope="session")
def mnist_manual():
    """The example as a module."""
    spec = importlib.util.spec_from_file_location("mnist_manual", EXAMPLES / "mnist_manual.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def call(mnist_manual, tmp_path, monkeypatch):
    """call(*arguments) runs mnist_manual in this process, on the reference backend unless told otherwise."""
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("SCRATCHNET_DATA", raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        result = CliRunner().invoke(mnist_manual.main, ["--backend", "reference", *map(str, arguments)])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Ended(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """calls("zero_metrics", *arguments) runs an example in this process, on the reference backend."""
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("SCRATCHNET_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(EXAMPLES)

    def run(example, *arguments):
        main = importlib.import_module(example).main
        result = CliRunner().invoke(main, ["--backend", "reference", *map(str, arguments)])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Ended(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def family(tmp_path):
    """A folder with 60 + 30 pictures in the layout of the MNIST family; the class can be read off a picture."""
    rng = np.random.default_rng(0)
    place = tmp_path / "family"
    place.mkdir()
    for prefix, n in (("train", 60), ("t10k", 30)):
        y = np.arange(n, dtype=np.uint8) % 10
        x = rng.integers(0, 60, (n, 28, 28), np.uint8)
        for i, label in enumerate(y):
            x[i, 2 * label + 4 : 2 * label + 6, 4:24] = 255
        write_idx(place / f"{prefix}-images-idx3-ubyte.gz", x)
        write_idx(place / f"{prefix}-labels-idx1-ubyte.gz", y)
    return place


@pytest.fixture
def figures(tmp_path):
    """figures(call, *arguments) runs with --json and returns the object."""

    def read(run, *arguments):
        path = tmp_path / "figures.json"
        ended = run(*arguments, "--json", path)
        assert ended.code == 0, ended.err
        return json.loads(path.read_text())

    return read
