"""How many threads a kernel gets, what part of the work falls to each, and which of Numba's threading layers runs them.

OpenMP starts a parallel region in about 2 µs, because its threads spin for a while between two regions; the portable
workqueue layer takes 100 µs and more. So OpenMP is chosen where Numba has it, unless the user chose otherwise
(`NUMBA_THREADING_LAYER`, `NUMBA_THREADING_LAYER_PRIORITY`). Spinning threads and those of a multi-threaded BLAS starve
each other, which is why no kernel of this backend calls BLAS.

A process forked after a kernel has run in parallel cannot run one itself (libgomp does not survive a fork): start
workers with the "spawn" or "forkserver" method.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import numba
from numba import njit

config: Any = numba.config
if config.THREADING_LAYER == "default" and config.THREADING_LAYER_PRIORITY == ["tbb", "omp", "workqueue"]:
    config.THREADING_LAYER_PRIORITY = ["omp", "tbb", "workqueue"]  # the first that can be loaded

_first = config.THREADING_LAYER_PRIORITY[0] if config.THREADING_LAYER == "default" else config.THREADING_LAYER
_openmp = _first == "omp" and find_spec("numba.np.ufunc.omppool") is not None

# How long an idle thread spins before it sleeps, unless the user has said so (libgomp reads this when it is loaded, by
# the first parallel kernel). Its own default, some milliseconds, costs a busy machine dearly: threads that spin for
# one that is not running take its time slice, and a step takes 20 times as long. 5,000 turns bridge the gaps in a step.
if _openmp and "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "5000")

# What a thread must have to do before it is worth waking: about the price of a region.
WORK = 250_000 if _openmp else 10_000_000  # floating-point operations


def threads(flops: int) -> int:
    """Into how many parts to cut a call of that much work: at most `numba.get_num_threads()`.

    The number depends on nothing but the work and that limit, so results repeat to the bit.
    """
    if flops < 2 * WORK:
        return 1
    return int(min(numba.get_num_threads(), flops // WORK))


@contextmanager
def cutting_all() -> Iterator[None]:
    """While it is open, every call that can be cut is cut, however small: so that what large ones run is compiled."""
    global WORK
    before, WORK = WORK, 1
    try:
        yield
    finally:
        WORK = before


def threads_of_pass(elements: int) -> int:
    """Into how many parts to cut one pass over so many elements. It waits for memory, so an element weighs more."""
    return threads(16 * elements)


@njit(cache=True)
def share(t: Any, T: int, count: int, step: int) -> tuple[int, int]:
    """The part [start, stop) of `count` that falls to thread t of T, cut at multiples of `step`."""
    tiles = -(-count // step)
    return min(count, t * tiles // T * step), min(count, (t + 1) * tiles // T * step)
