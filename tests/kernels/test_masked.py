"""Processors with narrower vectors than this one, which Numba's settings play: the kernels still agree.

A child compiles some of the kernels for each, into a cache of its own. CONTRIBUTING.md has the commands that run all
tests under each mask.
"""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MASKS = {
    "AVX2": ({"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+sse4.2,+avx,+avx2,+fma,+bmi,+bmi2"}, 32),
    "no vectors that are used": ({"NUMBA_CPU_NAME": "generic"}, 16),
}


def runs(name):
    """Whether this processor has what the mask leaves: the baseline of every x86-64, or AVX2."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return False
    from llvmlite import binding

    here = binding.get_host_cpu_features()
    return name != "AVX2" or bool(here.get("avx2") and here.get("fma"))


@pytest.mark.parametrize("parts", [("dense", "conv"), ("first block", "block"), ("step",)], ids="-".join)
@pytest.mark.parametrize("name", MASKS)
def test_narrower_vectors_agree_with_the_reference(name, parts, tmp_path):
    if not runs(name):
        pytest.skip(f"runs on an x86-64 processor that has {name}")
    mask, width = MASKS[name]
    env = {n: v for n, v in os.environ.items() if n not in ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES")}
    env |= mask | {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    command = [sys.executable, str(Path(__file__).with_name("masked.py")), *parts]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["set"], told["bytes"]) == (name, width)
    assert list(told["differences"]) == list(parts)
    assert max(told["differences"].values()) < 1e-5
