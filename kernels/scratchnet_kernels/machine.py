"""What this machine gives the backends: instruction set, BLAS, threads, GPU. Nothing here is needed to compute."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from contextlib import suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .errors import BackendError

INSTRUCTION_SETS = {"AVX-512": ("avx512f", "avx512vl"), "AVX2": ("avx2", "fma"), "AVX": ("avx",), "NEON": ("neon",)}
LAYERS = {"omp": "omppool", "tbb": "tbbpool", "workqueue": "workqueue"}  # threading layer -> Numba's module for it
DRIVERS = ("libcuda.so.1", "nvcuda.dll")


def version_of(package: str) -> str | None:
    """The installed version of a package, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def instruction_set() -> tuple[str, str]:
    """(the widest vector instructions, the processor's name), as the compiler of the cpu backend sees them.

    NUMBA_CPU_NAME and NUMBA_CPU_FEATURES, with which a user names another processor, count as they do for Numba.
    """
    from llvmlite import binding

    config: Any = import_module("numba").config
    if config.CPU_FEATURES is None:
        features = dict(binding.get_host_cpu_features())
    else:  # "+avx2,+fma"; empty where NUMBA_CPU_NAME is "generic"
        features = dict.fromkeys(re.findall(r"\+([^,]+)", config.CPU_FEATURES), True)
    processor = config.CPU_NAME or binding.get_host_cpu_name()
    for name, needs in INSTRUCTION_SETS.items():
        if all(features.get(need) for need in needs):
            return name, processor
    return "no vectors that are used", processor


def blas() -> list[dict[str, Any]]:
    """Each BLAS that is loaded: whose it is, its kind, version, target and number of threads."""
    import scipy.linalg  # noqa: F401  (loads the one that compiled code calls)
    from threadpoolctl import threadpool_info

    return [
        {
            "of": next((owner for owner in ("numpy", "scipy") if owner in pool["filepath"]), "system"),
            "kind": pool["internal_api"],
            "version": pool.get("version"),
            "target": pool.get("architecture"),
            "threads": pool["num_threads"],
        }
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    ]


def threading() -> dict[str, Any]:
    """Numba's threading layer, how many threads it uses, and the processors that this process may run on."""
    import_module("scratchnet_kernels.cpu")  # chooses the layer
    numba: Any = import_module("numba")
    may_run_on = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    return {
        "layer": _layer(numba.config),
        "threads": int(numba.get_num_threads()),
        "processors": may_run_on,
    }


def kernel_cache() -> tuple[Path, bool]:
    """(the folder in which compiled kernels are kept, whether they are still there when this process has ended)."""
    cache = import_module("scratchnet_kernels.cpu._cache")
    folder = cache.place()
    return Path(folder), bool(folder) and not cache.passing()


def _layer(config: Any) -> str:
    """The threading layer: the one that was asked for, or the first in Numba's order that can be loaded."""
    if config.THREADING_LAYER != "default":
        return str(config.THREADING_LAYER)
    for name in config.THREADING_LAYER_PRIORITY:
        with suppress(ImportError):
            import_module(f"numba.np.ufunc.{LAYERS[name]}")
            return str(name)
    return "none can be loaded"


def gpus() -> tuple[list[str], list[str]]:
    """(names of the GPUs that the driver reports, reasons why the cuda backend cannot use one)."""
    from .backend import get_backend

    reasons: list[str] = []
    try:
        get_backend("cuda")
    except BackendError as error:
        reasons.append(error.what)
    if not any(version_of(name) for name in ("cupy-cuda12x", "cupy-cuda13x", "cupy")):
        reasons.append("CuPy is not installed")
    driver = _driver()
    if driver is None:
        return [], [*reasons, "no NVIDIA driver was found"]
    names = _names(driver)
    return names, reasons if names else [*reasons, "the NVIDIA driver reports no GPU"]


def _driver() -> Any:
    for library in DRIVERS:
        try:
            return ctypes.CDLL(library)
        except OSError:
            continue
    return None


def _names(driver: Any) -> list[str]:
    """The names of all GPUs. No context is made on any of them."""
    count, names = ctypes.c_int(), []
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return []
    for ordinal in range(count.value):
        device, name = ctypes.c_int(), ctypes.create_string_buffer(100)
        if driver.cuDeviceGet(ctypes.byref(device), ordinal) == 0 and driver.cuDeviceGetName(name, 100, device) == 0:
            names.append(name.value.decode("utf-8", "replace"))
    return names
