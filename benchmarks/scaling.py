"""How the time of a training step grows with the batch, with the parameters and with the threads.

    python benchmarks/scaling.py [--json FILE] [--rounds 7] [--seconds 0.2] [--only batch,parameters,threads]

    batch       784-128-10 and the CNN of `_nets.py` at 1, 2, 4 and 8 times a batch of 64
    parameters  784-H-10 at batch 128, H = 128, 256, 512 and 1024: 1 to 8 times the parameters
    threads     the CNN at batch 64, 128 and 256, and the MLP at 128 and 512, on one thread and on two

Steps are those of `train_speed.py`: gather, scale, forward, loss, backward, plain SGD; compiled whole (`net.compile`)
where the net can be, else through its layers. All sizes are measured in one process in turns, round by round, and
ratios are medians of the rounds' ratios, so that what a busy machine does to one it does to all. `growth` is time over
the time of the first size; `each` is growth over the size's own factor: 1 is linear, less is better than linear. For
threads, `speed-up` is the time on one over the time on two. On a machine that does other things meanwhile the second
thread is not there half of the time, and no speed-up is worth much.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numba  # noqa: TID251  (its number of threads)
from _engine_scratchnet import LAYERS, Compiled, Engine
from _nets import NETS, Net, _dense, data
from _report import about, console, load, write
from rich.console import Console
from rich.table import Table

from scratchnet import Dense, ReLU

WARM = 3  # steps
FACTORS = (1, 2, 4, 8)
TWICE = 1.7
"""The speed-up that two threads should have on the CNN."""


@dataclass
class Size:
    """One point of a series: an engine, and its seconds a step in each round."""

    series: str
    what: str
    factor: float
    engine: Engine
    threads: int
    steps: int = 1
    first: int = 0
    seconds: list[float] = field(default_factory=list)

    def measure(self, steps: int) -> float:
        """Seconds of a step, over so many."""
        numba.set_num_threads(self.threads)
        began = time.perf_counter()
        self.engine.train(self.first, steps)
        self.first += steps
        return (time.perf_counter() - began) / steps

    def row(self, base: Size) -> dict[str, Any]:
        """Its figures beside those of the first size of its series."""
        growth = statistics.median(a / b for a, b in zip(self.seconds, base.seconds, strict=True))
        return {
            "series": self.series, "what": self.what, "factor": self.factor, "threads": self.threads,
            "ms": 1e3 * statistics.median(self.seconds), "least": 1e3 * min(self.seconds),
            "most": 1e3 * max(self.seconds), "growth": growth, "each": growth / self.factor,
        }  # fmt: skip


def wider(factor: int) -> Net:
    """784-H-10 with so many times 128 units."""
    H = 128 * factor
    net = Net(f"mlp {H}", f"784-{H}-10, ReLU", (784,), (128,), 0.1, tuple(_dense(784, H, 10)))
    LAYERS[net.name] = [Dense(H), ReLU(), Dense(10)]
    return net


def engine(net: Net, batch: int) -> Engine:
    """The fastest way in which the net trains."""
    try:
        return Compiled(net, batch, "compiled")
    except RuntimeError:  # a layer of it cannot be compiled yet
        return Engine(net, batch, "")


def sizes(only: list[str], threads: int) -> list[Size]:
    """Every point of every series."""
    found = []
    for name in ("mlp", "cnn"):
        if "batch" in only:
            found += [Size(f"batch, {name}", f"{64 * f}", f, engine(NETS[name], 64 * f), threads) for f in FACTORS]
    if "parameters" in only:
        nets = [wider(f) for f in FACTORS]
        counts = [sum(int(a.size) for a in net.weights()) for net in nets]
        found += [
            Size("parameters, mlp", f"{count:,}", count / counts[0], engine(net, 128), threads)
            for net, count in zip(nets, counts, strict=True)
        ]
    if "threads" in only:
        for name, batches in (("cnn", (64, 128, 256)), ("mlp", (128, 512))):
            for batch in batches:
                shared = engine(NETS[name], batch)
                found += [Size(f"threads, {name}, {batch}", f"{t}", 1, shared, t) for t in (1, threads)]
    return found


def measure(points: list[Size], rounds: int, seconds: float) -> None:
    """Warm up, find how many steps fill the time, and take turns."""
    for point in points:
        point.measure(WARM)
        point.steps = max(1, round(seconds / point.measure(WARM)))
    for _ in range(rounds):
        for point in points:
            point.seconds.append(point.measure(point.steps))


def show(rows: list[dict[str, Any]], screen: Console) -> None:
    """The table."""
    table = Table(title="milliseconds of a training step; medians; each: growth over the size's factor, 1 is linear")
    for name in ("series", "size", "factor", "ms", "least … most", "growth", "each", "speed-up"):
        table.add_column(name, justify="left" if name == "series" else "right", no_wrap=True)
    for row in rows:
        threads = row["series"].startswith("threads")
        table.add_row(
            row["series"], row["what"], "" if threads else f"{row['factor']:.2f}", f"{row['ms']:.3f}",
            f"{row['least']:.3f} … {row['most']:.3f}", *(("", "") if threads else (f"{row['growth']:.2f}",
            f"{row['each']:.2f}")), f"{1 / row['growth']:.2f}" if threads else "", end_section=row["last"],
        )  # fmt: skip
    screen.print(table)


def options() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything here")
    parser.add_argument("--rounds", type=int, default=7, help="(default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=0.2, help="of a size in a round (default: %(default)s)")
    parser.add_argument("--only", default="batch,parameters,threads", help="(default: %(default)s)")
    o = parser.parse_args()
    o.only = o.only.split(",")
    if not set(o.only) <= {"batch", "parameters", "threads"} or o.rounds < 1 or o.seconds <= 0:
        parser.error("--only is of batch, parameters, threads; --rounds is 1 or more, --seconds more than 0")
    return o


def main() -> int:
    """Measure, print, write."""
    o, screen, loads = options(), console(), [load()]
    threads = min(2, numba.config.NUMBA_NUM_THREADS)
    points = sizes(o.only, threads)
    measure(points, o.rounds, o.seconds)
    rows: list[dict[str, Any]] = []
    for point in points:
        rows.append(point.row(next(first for first in points if first.series == point.series)) | {"last": False})
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        row["last"] = following is None or following["series"] != row["series"]
    show(rows, screen)
    screen.print(f"load before and after: {loads[0]}, {load()}; {threads} threads; data: {data(NETS['cnn'])[2]}",
                 markup=False)  # fmt: skip
    if threads < 2:
        screen.print("one thread is all that there is: no speed-up was measured")
    if o.json:
        write(o.json, {"about": about(threads) | {"load": [*loads, load()]}, "rows": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
