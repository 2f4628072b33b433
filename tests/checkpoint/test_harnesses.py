"""The harnesses of benchmarks/ in short: a few kills, a few hundred mutated files for each reader."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs fork, and /proc for what a process has")


def say(name, *arguments):
    command = [sys.executable, BENCHMARKS / f"{name}.py", *arguments]
    done = subprocess.run(list(map(str, command)), capture_output=True, timeout=200, check=False, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_run_that_is_killed_again_and_again(tmp_path):
    assert "equal to the bit" in say("kill_resume", "--kills", 10, "--where", tmp_path)


@pytest.mark.parametrize("reader", ["source", "checkpoint", "safetensors", "idx", "cifar", "c", "lean", "onnx"])
def test_mutated_files(reader):
    assert say("fuzz_readers", reader, "--files", 500, "--seed", 1).startswith(f"{reader}: 500 files")
