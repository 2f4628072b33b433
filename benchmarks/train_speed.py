"""How long a training step takes, in scratchnet and elsewhere: the same nets, data, batches, weights and threads.

    python benchmarks/train_speed.py [--json FILE] [--nets mlp,cnn] [--batches 32,128] [--engines scratchnet,torch]
                                     [--rounds 5] [--seconds 0.3] [--threads 2]

A step is all that a training loop does: take the next samples of the epoch's shuffled order out of a uint8 set, scale
them by 1/255, forward, softmax cross-entropy, backward, plain SGD. The set is MNIST, read from $SCRATCHNET_DATA/mnist,
or random pictures of its shape; for nets on 3×32×32, and the tokens cut from them, random pictures.

Engines, each as its users write it (the head of `_engine_<name>.py` says how):

    scratchnet            Network with its loader; `scratchnet-unfused` is fuse=False, `scratchnet-compiled` the step
                          that net.compile makes, many a call. What scratchnet lacks, or cannot compile, is NOT RUN
    torch, torch-compile  uint8 index_select, zero_grad(set_to_none), fused SGD; torch.compile of model and loss
    jax                   one jitted step: gather, scale, gradient, update of donated parameters; NHWC
    sklearn               MLPClassifier.partial_fit on pieces of 4096 samples; dense nets only

Each engine lives in a process of its own. They take turns: a slice of steps of `--seconds`, a pause in which idle
threads fall asleep, the next engine, in another order each round. Before that come five steps whose losses
must agree (all engines begin with the same weights; relative tolerance 1e-4; a disagreement ends with exit code 1),
which pay for compiling, and a slice that warms up. The time of a step is the slice's divided by its steps.

Printed are the median over the rounds and the range, seconds for an epoch of 60,000 samples, scratchnet's time over the
peer's as the median of the rounds' ratios (those of the other variants beside it), and the share of this machine's
sgemm rate (NumPy, 1024³, measured in the same rounds): the arithmetic of dense, convolution, recurrence and attention,
counted from the unfused plan without the dx that the first layer does not need; a kernel that skips what is zero does
less, and its share may exceed 100%. On a machine that does other things meanwhile no figure is worth much; with several
threads least of all, because threads that wait for each other wait for the other things too. The load is printed and
kept with the figures.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from _engine_scratchnet import network, variants
from _nets import NETS, STEPS_COMPARED, TOLERANCE, Net, data
from _report import about, console, load, processors, write
from _worker import Worker, WorkerError
from rich.console import Console
from rich.table import Table

from scratchnet_kernels import OPS

OURS = "scratchnet"
ENGINES = {  # name -> module, variant, the package that it needs
    OURS: ("_engine_scratchnet", "", "scratchnet"),
    "scratchnet-unfused": ("_engine_scratchnet", "unfused", "scratchnet"),
    "scratchnet-compiled": ("_engine_scratchnet", "compiled", "scratchnet"),
    "torch": ("_engine_torch", "", "torch"),
    "torch-compile": ("_engine_torch", "compiled", "torch"),
    "jax": ("_engine_jax", "", "jax"),
    "sklearn": ("_engine_sklearn", "", "sklearn"),
}
PAUSE = 0.05  # seconds between two engines: longer than any library's idle threads spin


@dataclass
class Row:
    """One engine on one net and batch size."""

    net: str
    batch: int
    engine: str
    why_not: str = ""
    first_seconds: float = 0.0  # of the first steps, compiling included
    losses: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)  # of a step, by round
    ratios: dict[str, list[float]] = field(default_factory=dict)  # of each variant of scratchnet over this engine
    gflop: float = 0.0  # of a step
    sgemm: float = 0.0  # GFLOP/s

    def facts(self) -> dict[str, Any]:
        """Figures for the table and the file."""
        if not self.seconds:
            return asdict(self)
        step = statistics.median(self.seconds)
        rate = self.gflop / step
        more = {"step": step, "epoch": step * 60_000 / self.batch, "gflops": rate, "share": rate / self.sgemm}
        return asdict(self) | more | {"ratio": {ours: statistics.median(r) for ours, r in self.ratios.items()}}


def gigaflop(net: Net, batch: int) -> float:
    """The arithmetic of a training step, as the ops of the plan declare it: a dx that nobody asks for is none."""
    plan = network(net, "unfused" if "unfused" in variants() else "", backend="reference").record(batch)
    total = sum(call.flops for call in plan.forward)
    for call in plan.backward:
        names = OPS[call.op].parameters
        half = "dx" in names and call.args[names.index("dx")] is None
        total += call.flops // 2 if half else call.flops
    return total / 1e9


def why_not(engine: str) -> str:
    """Why an engine cannot run here, or nothing."""
    _, variant, package = ENGINES[engine]
    if find_spec(package) is None:
        return f"{package} is not installed"
    if package == OURS and variant:
        return "" if variant in variants() else "this scratchnet has none"
    return ""


def disagreement(rows: list[Row]) -> str:
    """Which engine's first losses differ from those of the first that ran, or nothing."""
    ran = [row for row in rows if row.losses]
    for row in ran[1:]:
        for step, (a, b) in enumerate(zip(row.losses, ran[0].losses, strict=True)):
            if not abs(a - b) <= TOLERANCE * abs(b):
                return f"{row.net}, batch {row.batch}, step {step}: {row.engine} {a!r}, {ran[0].engine} {b!r}"
    return ""


def measure(
    net: Net, batch: int, workers: dict[str, Worker], refused: dict[str, str], o: argparse.Namespace
) -> list[Row]:
    """A row for every engine: the first losses, warm-up, then rounds in turns."""
    gflop = gigaflop(net, batch)
    rows = [Row(net.name, batch, engine, refused.get(engine, ""), gflop=gflop) for engine in o.engines]
    steps: dict[str, int] = {}
    for row in rows:
        if row.why_not:
            continue
        try:
            worker = workers[row.engine]
            worker.call("start", net=net.name, batch=batch, variant=ENGINES[row.engine][1], threads=o.threads)
            row.first_seconds, row.losses = worker.call("train", first=0, steps=STEPS_COMPARED)
            done = STEPS_COMPARED
            for warm in (5, 0):  # a few steps to see how long one takes, then a slice
                taken, _ = worker.call("train", first=done, steps=warm or steps[row.engine])
                done += warm or steps[row.engine]
                steps[row.engine] = max(1, min(10_000, int(o.seconds * (warm or steps[row.engine]) / taken)))
        except WorkerError as error:
            row.why_not, row.losses = str(error), []
    live = [row for row in rows if not row.why_not]
    if disagreement(rows):
        return rows
    position, rates = dict.fromkeys(steps, 1000), []
    shuffle = random.Random(
        f"{net.name} {batch}"
    ).sample  # who follows a busy neighbour is slower, so nobody always does
    for _ in range(o.rounds):
        time.sleep(PAUSE)
        rates.append(workers["peaks"].call("sgemm"))
        for row in shuffle(live, len(live)):
            time.sleep(PAUSE)
            taken, _ = workers[row.engine].call("train", first=position[row.engine], steps=steps[row.engine])
            position[row.engine] += steps[row.engine]
            row.seconds.append(taken / steps[row.engine])
    for row in live:
        row.sgemm = statistics.median(rates)
        for ours in live:
            if ours.engine.startswith(OURS) and ours is not row:
                row.ratios[ours.engine] = [a / b for a, b in zip(ours.seconds, row.seconds, strict=True)]
    return rows


def show(rows: list[Row], screen: Console) -> None:
    """The table."""
    table = Table(title="One training step. Ratio: scratchnet's time over the engine's; below 1 scratchnet is faster.")
    ratios = "ratio", "from … to", "unfused", "compiled"
    for name in ("net", "batch", "engine", "ms", "from … to", "s/60,000", *ratios, "sgemm", "first s"):
        table.add_column(name, justify="left" if name in ("net", "engine") else "right", no_wrap=True)
    shown: tuple[str, int] | None = None
    for row in rows:
        if shown and shown != (row.net, row.batch):
            table.add_section()
        head = (row.net, str(row.batch)) if shown != (row.net, row.batch) else ("", "")
        shown = row.net, row.batch
        if row.why_not:
            table.add_row(*head, row.engine, "NOT RUN", style="dim")
            continue
        f, ms = row.facts(), [1000 * s for s in row.seconds]
        plain = row.ratios.get(OURS)
        ratio = [f"{f['ratio'][OURS]:.3f}", f"{min(plain):.3f} … {max(plain):.3f}"] if plain else ["", ""]
        others = (f["ratio"].get(f"{OURS}-{variant}") for variant in ("unfused", "compiled"))
        ratio += ["" if other is None or row.engine.startswith(OURS) else f"{other:.3f}" for other in others]
        cells = f"{1000 * f['step']:.3f}", f"{min(ms):.3f} … {max(ms):.3f}", f"{f['epoch']:.2f}", *ratio
        table.add_row(*head, row.engine, *cells, f"{f['share']:.0%}", f"{row.first_seconds:.1f}")
    screen.print(table)
    for engine, reason in sorted({(row.engine, row.why_not) for row in rows if row.why_not}):
        screen.print(f"NOT RUN {engine}: {reason}", markup=False)


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything here")
    parser.add_argument("--nets", default=",".join(NETS), help="(default: %(default)s)")
    parser.add_argument("--batches", help="batch sizes (default: those that belong to each net)")
    parser.add_argument("--engines", default=",".join(ENGINES), help="(default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each engine (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=0.3, help="of a slice of steps (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=processors(), help="(default: %(default)s)")
    o = parser.parse_args(arguments)
    o.nets, o.engines = o.nets.split(","), o.engines.split(",")
    for given, known in ((o.nets, NETS), (o.engines, ENGINES)):
        if unknown := [name for name in given if name not in known]:
            parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    if min(o.rounds, o.threads, o.seconds) <= 0:
        parser.error("--rounds, --seconds and --threads are positive")
    o.batches = [int(batch) for batch in o.batches.split(",")] if o.batches else None
    return o


def main() -> int:
    """Every net and batch size, the table, the file."""
    o, screen = options(), console()
    refused = {engine: reason for engine in o.engines if (reason := why_not(engine))}
    workers = {engine: Worker(ENGINES[engine][0], o.threads) for engine in o.engines if engine not in refused}
    workers["peaks"] = Worker("_engine_peaks", o.threads)
    rows: list[Row] = []
    loads = [load()]
    try:
        for name in o.nets:
            for batch in o.batches or NETS[name].batches:
                screen.print(f"{name}, batch {batch}", style="dim")
                rows += measure(NETS[name], batch, workers, refused, o)
                if wrong := disagreement([row for row in rows if (row.net, row.batch) == (name, batch)]):
                    screen.print(f"LOSSES DISAGREE beyond {TOLERANCE:g}: {wrong}", markup=False)
                    return 1
    finally:
        for worker in workers.values():
            worker.close()
    show(rows, screen)
    screen.print(f"load before and after: {loads[0]}, {load()}; {o.threads} threads", markup=False)
    if o.json:
        sources = {name: data(NETS[name])[2] for name in o.nets}
        facts = about(o.threads) | {"load": [*loads, load()], "data": sources}
        write(o.json, {"about": facts, "rows": [row.facts() for row in rows]})
    failed = [row for row in rows if row.engine == OURS and row.why_not]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
