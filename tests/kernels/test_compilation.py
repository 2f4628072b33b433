"""Who looks on hears which kernels are compiled; who does not pays nothing."""

import os
import subprocess
import sys

import numba  # noqa: TID251
import pytest
from numba.core import event  # noqa: TID251

from scratchnet_kernels.compilation import Compilation, watching


def fresh():
    """A function that calls another; neither is compiled yet."""

    @numba.njit
    def inner(x):
        return x + 1

    @numba.njit
    def outer(x):
        return inner(x) * 2

    return outer


def test_a_kernel_is_told_once_with_those_that_it_calls():
    kernel, told = fresh(), []
    with watching(lambda seen: told.append((seen.name, seen.count, seen.going_on))) as seen:
        assert kernel(1) == 4
        assert kernel(2) == 6  # compiled already
        assert told == [("test_compilation", 1, True)]
        before = seen.seconds
        assert kernel(1.5) == 5  # for another type
    assert seen.count == len(told) == 2
    assert seen.seconds > before > 0
    assert not event._registered["numba:compile"]


def test_a_kernel_that_cannot_be_compiled_ends_too():
    @numba.njit
    def wrong(x):
        return x.nothing

    with watching() as seen, pytest.raises(numba.TypingError):
        wrong(1)
    total = seen.seconds
    assert (seen.count, seen._depth) == (1, 0)
    assert seen.seconds == total > 0  # no clock is running


def test_names():
    seen = Compilation()
    for module, name in (
        ("scratchnet_kernels.cpu.conv2d", "conv2d"),
        ("scratchnet_kernels.cpu._routed", "routed"),
        ("scratchnet_step_0123", "the training step"),
    ):
        seen.begin(module)
        assert seen.name == name
        seen.begin("numba.inner")
        assert seen.name == name
        seen.end()
        seen.end()
    assert seen.count == 3


def test_to_look_imports_no_compiler():
    code = """
import sys
import scratchnet
from scratchnet_kernels.compilation import watching
with watching(print) as seen:
    assert seen.count == 0
print([name for name in ("numba", "llvmlite") if name in sys.modules])
"""
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


@pytest.mark.parametrize(("temporary", "fate"), [([], "kept for the next run"), (["/tmp/x"], "not kept")])
def test_what_becomes_of_them(monkeypatch, temporary, fate):
    from scratchnet_kernels.cpu import _cache

    monkeypatch.setattr(_cache, "_passing", temporary)
    with watching() as seen:
        assert seen.fate == fate
