"""The backends: one table of names and signatures, and clear words where one cannot run."""

import inspect
import subprocess
import sys

import pytest

from scratchnet_kernels import OPS, BackendError, get_backend
from scratchnet_kernels.backend import KERNELS

get_backend("cpu")


@pytest.mark.parametrize("name", sorted(KERNELS["cpu"]))
def test_cpu_kernels_have_the_reference_signature(name):
    def names(function):
        parameters = inspect.signature(function).parameters.values()
        return [p.name for p in parameters if not (p.name == "workspace" and p.kind is p.KEYWORD_ONLY)]

    assert name in OPS, f"{name} has no reference"
    assert names(KERNELS["cpu"][name]) == names(OPS[name].reference)


@pytest.mark.parametrize("name", sorted(OPS))
def test_every_op_says_what_it_computes(name):
    declared = OPS[name]
    assert declared.reference.__doc__
    assert declared.writes, "an op that writes nothing does nothing"


def test_unknown_and_unavailable_backends_say_what_to_do():
    with pytest.raises(BackendError, match=r"reference \| cpu \| cuda"):
        get_backend("tpu")
    with pytest.raises(BackendError, match="cpu"):
        get_backend("cuda")


def test_importing_scratchnet_compiles_nothing_and_imports_no_optional_package():
    heavy = "numba llvmlite cupy torch scipy rich pooch click mpmath hypothesis pytest"
    code = f"import sys, scratchnet, scratchnet.data; print(*[m for m in {heavy.split()} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
