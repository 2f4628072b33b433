"""Compiled kernels check no bounds: each runs in arrays that end where memory ends, and begin behind a fence.

A read or write past the end meets a page that nobody may touch, and ends the process; one before the beginning
changes the fence, or brings a NaN from it into the result.
"""

import ctypes
import math
import mmap
import sys

import numpy as np
import pytest

import scratchnet.layers  # noqa: F401  (fills the registry)
from scratchnet.check.errors import compare
from scratchnet.check.subjects.layer import LayerSubject
from scratchnet.check.tolerances import rounding
from scratchnet.core import LAYERS, RandomDraw
from scratchnet_kernels import OPS
from scratchnet_kernels.workspace import Workspace

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mprotect")
FENCE = 512  # bytes: more than two vectors


def guarded(shape, dtype):
    """(fence, array): an array that ends at a forbidden page."""
    nbytes = math.prod(shape) * np.dtype(dtype).itemsize
    pages = -(-(nbytes + FENCE) // mmap.PAGESIZE) * mmap.PAGESIZE
    memory = mmap.mmap(-1, pages + mmap.PAGESIZE)
    whole = np.frombuffer(memory, np.uint8)
    forbidden = ctypes.c_void_p(whole.ctypes.data + pages)
    assert ctypes.CDLL(None).mprotect(forbidden, ctypes.c_size_t(mmap.PAGESIZE), 0) == 0
    whole[:pages] = 0xFF  # NaN in every float
    return whole[: pages - nbytes], whole[pages - nbytes : pages].view(dtype).reshape(shape)


class Guarded:
    """An op table that moves every array of a call into guarded memory, and the results back."""

    def __init__(self, table, fences):
        self.table, self.fences = table, fences

    def __getattr__(self, name):
        def call(*args, **kwargs):
            args = OPS[name].bind(args, kwargs)
            moved = []
            for argument in args:
                if isinstance(argument, np.ndarray):
                    fence, array = guarded(argument.shape, argument.dtype)
                    array[...] = argument
                    self.fences.append(fence)
                    moved.append(array)
                else:
                    moved.append(argument)
            getattr(self.table, name)(*moved)
            assert all((fence == 0xFF).all() for fence in self.fences), f"{name} wrote before the beginning of an array"
            self.fences.clear()
            for parameter, argument, array in zip(OPS[name].parameters, args, moved, strict=True):
                if parameter in OPS[name].writes and argument is not None:
                    argument[...] = array

        return call


@pytest.mark.parametrize("name", LAYERS)
def test_no_kernel_leaves_its_arrays(name, monkeypatch):
    fences = []

    def take(self, shape, dtype):
        fence, array = guarded(shape, dtype)
        fences.append(fence)
        return array

    draw = RandomDraw(np.random.default_rng([7, *name.encode()]))
    for seed in range(8):
        case = LAYERS[name].cases(draw)
        for dtype in ("float32", "float64"):
            subject = LayerSubject(case, seed, batch=2 + seed % 4, backend="cpu", dtype=dtype)
            subject.training = seed % 2 == 0
            expected = subject.run().arrays()
            with monkeypatch.context() as patch:
                patch.setattr(Workspace, "take", take)
                subject.net.k = Guarded(subject.net.k, fences)
                for what, array in subject.run().arrays().items():
                    compare("in guarded memory", f"{what} of {case.layer!r}", array, expected[what], rounding(dtype))
