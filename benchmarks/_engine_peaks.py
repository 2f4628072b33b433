"""What the machine can do: the rate of NumPy's sgemm, and of copying, with as many threads as an engine gets."""

from __future__ import annotations

import statistics
import threading
import time

import numpy as np


def sgemm(size: int = 1024, times: int = 9) -> float:
    """GFLOP/s of a product of two float32 matrices, the median of some."""
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=(size, size)).astype(np.float32) for _ in range(2))
    out, seconds = np.empty_like(a), []
    np.matmul(a, b, out=out)
    for _ in range(times):
        began = time.perf_counter()
        np.matmul(a, b, out=out)
        seconds.append(time.perf_counter() - began)
    return 2 * size**3 / statistics.median(seconds) / 1e9


def copy(nbytes: int, threads: int, seconds: float = 0.1) -> float:
    """GB/s, bytes read and bytes written together, of threads that copy arrays of their own, `nbytes` in all."""
    size = max(1, nbytes // (2 * threads))
    parts = [(np.ones(size, np.uint8), np.ones(size, np.uint8)) for _ in range(threads)]
    began = time.perf_counter()
    for to, of in parts:
        np.copyto(to, of)
    times = max(3, int(seconds / max(1e-9, time.perf_counter() - began) * threads))
    together = threading.Barrier(threads + 1)

    def work(to: np.ndarray, of: np.ndarray) -> None:
        together.wait()
        for _ in range(times):
            np.copyto(to, of)
        together.wait()

    workers = [threading.Thread(target=work, args=part) for part in parts]
    for worker in workers:
        worker.start()
    together.wait()
    began = time.perf_counter()
    together.wait()
    taken = time.perf_counter() - began
    for worker in workers:
        worker.join()
    return 2 * size * threads * times / taken / 1e9
