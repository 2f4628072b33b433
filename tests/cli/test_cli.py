import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

import scratchnet
from scratchnet.cli import main
from scratchnet_kernels import machine
from tests.examples.conftest import environment


def invoke(*arguments, **env):
    return CliRunner().invoke(main, arguments, env=env)


def test_version():
    assert invoke("--version").output == f"scratchnet, version {scratchnet.__version__}\n"


def test_help_names_every_command():
    result = invoke("--help")
    assert result.exit_code == 0
    for name in main.commands:
        assert f"\n  {name}" in result.output


@pytest.mark.parametrize("arguments", [("inof",), ("info", "--jsno"), ("info", "more")])
def test_unknown_words_are_refused(arguments):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert "Error: " in result.output


def test_info_as_json():
    result = invoke("info", "--json")
    assert result.exit_code == 0
    facts = json.loads(result.stdout)
    assert facts["scratchnet"] == scratchnet.__version__
    assert facts["python"] == ".".join(map(str, sys.version_info[:3]))
    assert all(facts[name] for name in ("numpy", "numba", "scipy", "instruction_set", "threading_layer"))
    assert facts["threads"] >= 1
    assert {"of", "kind", "version", "target", "threads"} == set(facts["blas"][0])
    assert facts["kernels"] == str(machine.kernel_cache()[0])
    assert facts["cuda_backend"] is False
    assert "the cuda backend is not available in this version" in facts["cuda_reasons"]
    assert set(facts["data"]) == {"mnist", "fashion", "kmnist", "cifar10"}


@pytest.mark.parametrize("width", ["20", "80"])
def test_info_for_a_reader(width, tmp_path):
    result = invoke("info", COLUMNS=width, SCRATCHNET_DATA="", XDG_CACHE_HOME=str(tmp_path))
    assert result.exit_code == 0
    assert max(map(len, result.output.splitlines())) <= int(width)
    for piece in ("Versions", "numpy", "Machine", "BLAS", "GPU", "cuda", "Data sets", "mnist", "not found"):
        assert piece in result.output, piece


def test_info_finds_data(tmp_path):
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (tmp_path / "kmnist").mkdir(exist_ok=True)
        (tmp_path / "kmnist" / f"{name}-ubyte").write_bytes(b"")
    (tmp_path / "fashion").mkdir()
    (tmp_path / "fashion" / "t10k-labels-idx1-ubyte").write_bytes(b"")
    result = invoke("info", "--json", SCRATCHNET_DATA=str(tmp_path), XDG_CACHE_HOME=str(tmp_path / "cache"))
    found = json.loads(result.stdout)["data"]
    assert found["kmnist"] == f"{tmp_path / 'kmnist'} (SCRATCHNET_DATA)"
    assert found["mnist"] is None
    assert "incomplete" in found["fashion"]
    assert not (tmp_path / "cache").exists()


def test_python_m_scratchnet_is_light(tmp_path):
    """Help must not wait for a compiler, a plotter or a downloader."""
    code = "import sys, scratchnet.cli; print([m for m in ('numba', 'rich', 'scipy', 'pooch') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(tmp_path), capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
    done = subprocess.run(
        [sys.executable, "-m", "scratchnet", "--version"],
        env=environment(tmp_path), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("scratchnet, version ")
