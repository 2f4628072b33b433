"""Every op of the cpu backend against its roofline, and beside PyTorch's.

    python benchmarks/kernels.py [--json FILE] [--only NAME] [--rounds 3] [--seconds 0.05] [--threads 2]

An op runs on the arrays that it gets in a layer's plan, forward and backward (dx included), at sizes that occur in
training. Its floating-point operations are those that it declares, its bytes those of its arrays, each once, and twice
where it adds to them. What an op's workspace moves does not count: it is the op's own affair.

The roof is the least time that the machine leaves: the longer of operations / sgemm rate and bytes / copy rate, both
measured in the same run with the same threads (NumPy, 1024³; copies of arrays that are as large together as the op's,
so that what fits a cache is held against that cache's rate). `roof` is the share of it that the op reaches. Ops that
declare no operations are held against the bytes alone.

PyTorch runs the same layer with the same threads in a process of its own, in turns. Its forward keeps what the backward
needs, its backward is torch.autograd.grad, so its dispatch and graph are in its times, as the op table's door is in
ours; `ratio` is scratchnet's ops of that direction together over PyTorch's. Medians over the rounds of medians; on a
machine that does other things meanwhile no figure is worth much.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from _kernel_cases import BESIDE, CASES, Case
from _report import about, console, load, processors, write
from _worker import Worker, WorkerError
from rich.console import Console
from rich.table import Table

SIZES = tuple(2**power for power in range(16, 29, 2))  # bytes of the copies: 64 KiB to 256 MiB
PAUSE = 0.05  # seconds between two processes
PARTS = ("forward", "backward")


def title(case: Case) -> str:
    """A case in a line."""
    return f"{case.name}, {case.batch} × {'×'.join(map(str, case.shape))}"


def roof(op: dict[str, Any], sgemm: float, copies: dict[int, float]) -> float:
    """The least seconds of an op: GFLOP/s and GB/s as measured."""
    size = min((size for size in copies if size >= op["bytes"]), default=max(copies))
    return float(max(op["flops"] / sgemm, op["bytes"] / copies[size]) / 1e9)


def alternate(ours: Callable[[], Any], torch: Callable[[], Any] | None, rounds: int) -> tuple[list[Any], list[Any]]:
    """Answers of both, in turns."""
    answers: tuple[list[Any], list[Any]] = ([], [])
    for _ in range(rounds):
        time.sleep(PAUSE)
        answers[0].append(ours())
        if torch is not None:
            time.sleep(PAUSE)
            answers[1].append(torch())
    return answers


def rows_of(
    name: str, ours: list[Any], torch: list[Any], sgemm: float, copies: dict[int, float]
) -> list[dict[str, Any]]:
    """A row for each op of a case, medians over the rounds; the first of each direction has the ratio to PyTorch."""
    rows: list[dict[str, Any]] = []
    for part in PARTS:
        for number, op in enumerate(ours[0].get(part, [])):
            seconds = statistics.median(answer[part][number]["seconds"] for answer in ours)
            row = {"case": name, "part": part, **op, "seconds": seconds, "torch": None, "ratio": None}
            row |= {"gflops": op["flops"] / seconds / 1e9, "gbps": op["bytes"] / seconds / 1e9}
            row["roof"] = roof(op, sgemm, copies) / seconds
            if number == 0 and torch and part in torch[0]:
                row["torch"] = statistics.median(answer[part] for answer in torch)
                sums = [sum(op["seconds"] for op in answer[part]) for answer in ours]
                row["ratio"] = statistics.median(a / b[part] for a, b in zip(sums, torch, strict=True))
            rows.append(row)
    return rows


def show(rows: list[dict[str, Any]], screen: Console) -> None:
    """The table."""
    table = Table(title="ops of the cpu backend; ratio: all ops of that direction over PyTorch's")
    for name in ("case", "op", "µs", "GFLOP/s", "GB/s", "roof", "torch µs", "ratio"):
        table.add_column(name, justify="left" if name in ("case", "op") else "right", no_wrap=True)
    shown = ""
    for row in rows:
        name = "" if row["case"] == shown else row["case"]
        shown = row["case"]
        gflops = f"{row['gflops']:.1f}" if row["flops"] else ""
        torch = [f"{1e6 * row['torch']:.1f}", f"{row['ratio']:.2f}"] if row["torch"] else ["", ""]
        roofs = f"{row['gbps']:.1f}", f"{row['roof']:.0%}"
        table.add_row(name, row["op"], f"{1e6 * row['seconds']:.1f}", gflops, *roofs, *torch)
    screen.print(table)


def options() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything here")
    parser.add_argument("--only", metavar="NAME", default="", help="cases whose line has this in it")
    parser.add_argument("--unfused", action="store_true", help="build networks with fuse=False")
    parser.add_argument("--rounds", type=int, default=3, help="(default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=0.05, help="for each op (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=processors(), help="(default: %(default)s)")
    o = parser.parse_args()
    if min(o.rounds, o.threads, o.seconds) <= 0:
        parser.error("--rounds, --seconds and --threads are positive")
    cases: list[tuple[str, int | str, str]] = [("layer", n, title(case)) for n, case in enumerate(CASES)]
    o.cases = [case for case in [*cases, *(("beside", name, name) for name in BESIDE)] if o.only in case[2]]
    if not o.cases:
        parser.error(f"no case has {o.only!r} in its line")
    return o


def main() -> int:
    """Peaks, then every case."""
    o, screen, loads = options(), console(), [load()]
    ours, peaks = Worker("_kernels_scratchnet", o.threads), Worker("_engine_peaks", o.threads)
    torch = Worker("_kernels_torch", o.threads) if find_spec("torch") else None
    sgemm, copies = 0.0, dict.fromkeys(SIZES, 0.0)

    def look_at_peaks() -> None:
        nonlocal sgemm, copies
        sgemm = max(sgemm, float(peaks.call("sgemm")))
        copies = {size: max(copies[size], peaks.call("copy", nbytes=size, threads=o.threads)) for size in SIZES}

    measured = []
    more = {"seconds": o.seconds, "threads": o.threads}
    try:
        look_at_peaks()
        for function, which, name in o.cases:
            given = {"fuse": not o.unfused} if function == "layer" else {}
            call = partial(ours.call, function, which=which, seconds=o.seconds, **given)
            peer = partial(torch.call, function, which=which, **more) if torch else None
            measured.append((name, *alternate(call, peer, o.rounds)))
        look_at_peaks()  # again, for what else runs may have stopped; the larger counts
    except WorkerError as error:
        screen.print(f"{error}", markup=False)
        return 1
    finally:
        for worker in (ours, peaks, torch):
            if worker is not None:
                worker.close()
    rows = [row for name, mine, theirs in measured for row in rows_of(name, mine, theirs, sgemm, copies)]
    show(rows, screen)
    if torch is None:
        screen.print("NOT RUN torch: it is not installed")
    rates = ", ".join(f"{size // 1024} KiB {rate:.0f}" for size, rate in copies.items())
    screen.print(f"sgemm {sgemm:.0f} GFLOP/s; copies, GB/s: {rates}", markup=False)
    screen.print(f"load before and after: {loads[0]}, {load()}; {o.threads} threads", markup=False)
    if o.json:
        facts = about(o.threads) | {"load": [*loads, load()], "sgemm": sgemm, "copy": copies, "fuse": not o.unfused}
        write(o.json, {"about": facts, "rows": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
