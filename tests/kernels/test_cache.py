"""A machine on which compiled kernels cannot be kept: they are compiled anew, and that is said."""

import os
import subprocess
import sys
from pathlib import Path

CODE = """
import warnings
import numba.core.caching as caching

kept = getattr(caching, "CacheImpl", None) or caching._CacheImpl  # by Numba's version
places = kept._locator_classes  # beside the source, in the user's cache, in NUMBA_CACHE_DIR, ...
places[:] = [place for place in places if "UserProvided" in place.__name__]
from scratchnet_kernels import get_backend

with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    get_backend("cpu")
import numba
import numpy as np
from scratchnet_kernels.cpu._passes import _forward_relu

x = np.array([-1.0, 2.0])
_forward_relu(x, x)
assert x.tolist() == [0, 2]
print(numba.config.CACHE_DIR, len(told), told[0].message, sep="\\n")
"""


def run(code, tmp_path, **more):
    env = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    env |= {"PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path)} | more
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)


def test_kernels_go_where_nothing_stays_if_nothing_can_be_kept(tmp_path):
    done = run(CODE, tmp_path)
    assert done.returncode == 0, done.stderr
    folder, count, message = done.stdout.splitlines()
    assert Path(folder).parent == tmp_path
    assert not Path(folder).exists()
    assert count == "1"
    assert "cannot be kept" in message
    assert "set NUMBA_CACHE_DIR" in message


def test_a_place_that_can_be_written_is_left_alone(tmp_path):
    code = "from scratchnet_kernels import get_backend; get_backend('cpu'); import numba; print(numba.config.CACHE_DIR)"
    done = run(code, tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "mine"), PYTHONWARNINGS="error")
    assert (done.returncode, done.stdout.strip()) == (0, str(tmp_path / "mine")), done.stderr
