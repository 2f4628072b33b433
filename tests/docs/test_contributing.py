"""CONTRIBUTING's example layer, taken from the page as it stands: it must pass every check, and its wrong twin fail."""

import re
import sys
from importlib import util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from scratchnet.check import CheckError, check_contract, check_layer_gradients, check_objects, check_parity
from scratchnet.core import LAYERS, RandomDraw
from scratchnet_kernels import OPS, get_backend
from scratchnet_kernels.backend import KERNELS

PAGE = Path(__file__).parents[2] / "CONTRIBUTING.md"
PLACES = ("scratchnet_kernels.reference.gain", "scratchnet.layers.gain", "scratchnet_kernels.cpu.gain")


def adopt(name, source, folder):
    """Import a page's block under the module name that the page gives it."""
    file = folder / f"{name}.py"
    file.write_text(source)
    spec = util.spec_from_file_location(name, file)
    module = util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    sys.modules[name.rpartition(".")[0]].gain = module


@pytest.fixture
def blocks():
    found = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)
    assert len(found) == len(PLACES)
    get_backend("cpu")  # imports the package that the kernel's module is to lie in
    before = dict(LAYERS), dict(OPS), dict(KERNELS["cpu"])
    yield found
    for registry, old in zip((LAYERS, OPS, KERNELS["cpu"]), before, strict=True):
        registry.clear()
        registry.update(old)
    for name in PLACES:
        sys.modules.pop(name, None)
        delattr(sys.modules[name.rpartition(".")[0]], "gain")


def suite():
    @settings(phases=[Phase.explicit, Phase.generate], max_examples=10)
    @given(st.integers(0, 2**32 - 1))
    def check(seed):
        case = LAYERS["Gain"].cases(RandomDraw(np.random.default_rng(seed)))
        check_layer_gradients(case, seed)
        for backend in ("reference", "cpu"):
            check_contract(case, seed, backend=backend)
        check_parity(case, seed)
        check_objects(case, seed, "fractions")

    check()


def test_the_example_layer_passes_and_its_kernel_agrees(blocks, tmp_path):
    for name, source in zip(PLACES, blocks, strict=True):
        adopt(name, source, tmp_path)
    suite()


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("da += (x * dy).sum(0)", "da += (x * dy).mean(0)"),
        ("da += (x * dy).sum(0)", "da[...] = (x * dy).sum(0)"),
        ("dx[...] = a * dy", "dx[...] = dy"),
        ("dx[...] = a * dy", "dx[...] = a * dy[::-1]"),
    ],
)
def test_its_wrong_twin_goes_red(blocks, tmp_path, right, wrong):
    assert right in blocks[0]
    for name, source in zip(PLACES, [blocks[0].replace(right, wrong), *blocks[1:]], strict=True):
        adopt(name, source, tmp_path)
    with pytest.raises(CheckError):
        suite()
