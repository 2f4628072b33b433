"""Compiled kernels are kept, compiled anew after any change, and where they cannot be kept that is said."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import scratchnet_kernels
from scratchnet_kernels.cpu import _cache

RELU = """
import warnings
from scratchnet_kernels import get_backend

with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    get_backend("cpu")
import numba
import numpy as np
from scratchnet_kernels.cpu import _cache
from scratchnet_kernels.cpu._passes import _forward_relu

x = np.array([-1.0, 2.0])
_forward_relu(x, x)
print(_cache.place(), sum(_forward_relu.stats.cache_hits.values()), x.tolist(), numba.config.CACHE_DIR, sep="\\n")
print(*[one.message for one in told])
"""


def run(code, tmp_path, **more):
    env = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    env |= {"PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path)} | more
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)


def test_kernels_go_where_nothing_stays_if_nothing_can_be_kept(tmp_path):
    (tmp_path / "a file").write_text("")
    done = run(RELU, tmp_path, XDG_CACHE_HOME=str(tmp_path / "a file"))
    assert done.returncode == 0, done.stderr
    folder, hits, x, _, message = done.stdout.splitlines()
    assert Path(folder).is_relative_to(tmp_path)
    assert not Path(folder).exists()
    assert (hits, x) == ("0", "[0.0, 2.0]")
    assert "cannot be kept" in message
    assert "set NUMBA_CACHE_DIR" in message


def test_kernels_are_kept_and_whoever_imports_us_keeps_theirs_elsewhere(tmp_path):
    mine, told = str(tmp_path / "mine"), []
    for _ in range(2):
        done = run(RELU, tmp_path, NUMBA_CACHE_DIR=mine)
        assert done.returncode == 0, done.stderr
        told.append(done.stdout.splitlines())
    assert [hits for _, hits, *_ in told] == ["0", "1"]
    for folder, _, _, theirs, message in told:
        assert Path(folder).is_relative_to(mine)
        assert (theirs, message) == (mine, "")


def test_a_change_in_any_source_file_compiles_all_anew(tmp_path):
    shutil.copytree(Path(scratchnet_kernels.__file__).parent, tmp_path / "scratchnet_kernels")
    env = {"NUMBA_CACHE_DIR": str(tmp_path / "kept"), "PYTHONPATH": str(tmp_path)}
    first = run(RELU, tmp_path, **env).stdout.splitlines()
    callee = tmp_path / "scratchnet_kernels" / "cpu" / "_fetch.py"
    callee.write_text(callee.read_text() + "\n# changed\n")
    second = run(RELU, tmp_path, **env).stdout.splitlines()
    assert (first[1], second[1]) == ("0", "0")
    assert first[0] != second[0]


def test_kernels_that_nobody_asked_for_in_a_month_are_thrown_away(tmp_path, monkeypatch):
    monkeypatch.setattr(_cache.config, "CACHE_DIR", str(tmp_path))
    old, recent = tmp_path / "kernels" / "old", tmp_path / "kernels" / "recent"
    for folder, age in ((old, _cache.UNUSED + 60), (recent, _cache.UNUSED - 60)):
        folder.mkdir(parents=True)
        os.utime(folder, (time.time() - age,) * 2)
    with _cache.kept():
        assert str(tmp_path / "kernels") in _cache.config.CACHE_DIR
    assert str(tmp_path) == _cache.config.CACHE_DIR
    assert (old.exists(), recent.exists()) == (False, True)
