"""What a monitor costs a training loop at its default interval.

    python benchmarks/monitors.py [--models mlp,cnn] [--batch-size 128] [--every 100] [--rounds 15] [--json FILE]

The models of `examples/mnist_manual.py`, SGD with momentum, gather, scale, forward, loss, backward, step. Two loops
take turns, one with a monitor and one without, `every` steps each, so that every turn of the first has one look in it.
They begin after step 100, when the additional looks at the start are over. Medians over all steps of a kind are taken:
a step without a monitor, an idle step with one, a step with a look; `cost` is what `every` steps with one look take
more than as many without a monitor. `turns` is the median of what neighbouring turns say as a whole: the same, with all
that else went on in the machine.

MNIST is read from $SCRATCHNET_DATA/mnist; without it digits are drawn.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from _nets import mnist
from _report import about, console, load, processors, write
from rich.table import Table

from scratchnet import SGD, Conv2d, Dense, Flatten, MaxPool2d, Network, ReLU, SoftmaxCrossEntropy
from scratchnet.data import Batches, Split, drawn
from scratchnet.train import Monitor

AIM = 0.05
MODELS = {
    "mlp": lambda: [Flatten(), Dense(128), ReLU(), Dense(10)],
    "cnn": lambda: [
        *(Conv2d(16, 3, padding="same"), ReLU(), MaxPool2d(2)),
        *(Conv2d(32, 3, padding="same"), ReLU(), MaxPool2d(2)),
        *(Flatten(), Dense(128), ReLU(), Dense(10)),
    ],
}


class Loop:
    """A training loop, with a monitor or without one, that makes so many steps at a time."""

    def __init__(self, model: str, split: Split, batch_size: int, every: int | None) -> None:
        self.net, self.loss, self.optimizer = (
            Network(MODELS[model](), (1, 28, 28)),
            SoftmaxCrossEntropy(),
            SGD(0.02, 0.9),
        )
        self.monitor = Monitor(self.net, self.loss, self.optimizer, every=every) if every else None
        self._batches = self._forever(Batches(split, batch_size, drop_last=True))

    def _forever(self, batches: Batches) -> Iterator[tuple[Any, Any]]:
        epoch = 0
        while True:
            epoch += 1
            yield from batches.epoch(epoch)

    def steps(self, count: int) -> list[float]:
        """The seconds of each of so many steps."""
        net, taken = self.net, []
        for _ in range(count):
            began = time.perf_counter()
            x, y = next(self._batches)
            logits, tape = net.forward(x, training=True)
            value, dlogits = self.loss(logits, y, tape)
            net.zero_grad()
            net.backward(dlogits, tape)
            if self.monitor is None:
                float(value)
                self.optimizer.step(net)
            else:
                with self.monitor.step(x, y, logits, value):
                    self.optimizer.step(net)
            taken.append(time.perf_counter() - began)
        return taken


def row(model: str, split: Split, o: argparse.Namespace) -> dict[str, Any]:
    """Both loops in turns."""
    plain, watched = Loop(model, split, o.batch_size, None), Loop(model, split, o.batch_size, o.every)
    start = -(-100 // o.every) * o.every  # the early looks are over, and a look is the last step of a turn
    plain.steps(start)
    watched.steps(start)
    without, with_one = [], []
    for _ in range(o.rounds):
        without.append(plain.steps(o.every))
        with_one.append(watched.steps(o.every))
    step = statistics.median(t for turn in without for t in turn)
    idle = statistics.median(t for turn in with_one for t in turn[:-1])
    look = statistics.median(turn[-1] for turn in with_one)
    ratios = [sum(b) / sum(a) - 1 for a, b in zip(without, with_one, strict=True)]
    same = np.array_equal(plain.net.parameters.flat, watched.net.parameters.flat)
    return {
        "model": model, "step": step, "idle": idle - step, "look": look - step, "every": o.every,
        "cost": ((o.every - 1) * idle + look) / (o.every * step) - 1,
        "turns": statistics.median(ratios), "ratios": ratios, "same_bits": same,
    }  # fmt: skip


def options() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(MODELS), help="(default: %(default)s)")
    parser.add_argument("--batch-size", type=int, default=128, help="(default: %(default)s)")
    parser.add_argument("--every", type=int, default=100, help="steps between looks (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each loop (default: %(default)s)")
    parser.add_argument("--samples", type=int, default=60_000, help="training pictures (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything here")
    o = parser.parse_args()
    o.models = o.models.split(",")
    if not set(o.models) <= set(MODELS) or min(o.batch_size, o.every, o.rounds) < 1 or o.samples < o.batch_size:
        parser.error(f"--models are of {', '.join(MODELS)}, the others 1 or more, --samples at least a batch")
    return o


def main() -> int:
    """Every model, the table, the file."""
    o, screen, loads = options(), console(), [load()]
    found = mnist("train")
    x, y = (found[0].reshape(-1, 28, 28), found[1]) if found else drawn(o.samples, seed=0)
    split = Split("train", x[: o.samples], y[: o.samples])
    began = time.perf_counter()
    net = Network(MODELS["mlp"](), (1, 28, 28))
    Monitor(net, SoftmaxCrossEntropy(), SGD(0.1)).data(train=Batches(split, o.batch_size))
    facts = time.perf_counter() - began
    rows = [row(model, split, o) for model in o.models]
    data = "mnist" if found else "drawn"
    table = Table(title=f"a monitor at every {o.every} steps, batch {o.batch_size}, {data}; aim: {AIM:.0%} at most")
    for name in ("model", "step µs", "idle step +µs", "look ms", "cost", "turns", "same bits"):
        table.add_column(name, justify="left" if name == "model" else "right")
    for r in rows:
        cells = f"{r['step'] * 1e6:.1f}", f"{r['idle'] * 1e6:.1f}", f"{r['look'] * 1e3:.2f}", f"{r['cost']:.1%}"
        table.add_row(r["model"], *cells, f"{r['turns']:.1%}", "yes" if r["same_bits"] else "NO")
    screen.print(table)
    screen.print(f"facts of {len(split):,} training pictures: {facts:.2f} s", markup=False)
    screen.print(f"load before and after: {loads[0]}, {load()}; {processors()} threads", markup=False)
    if o.json:
        told = about(processors()) | {"load": [*loads, load()], "data": data}
        write(o.json, {"about": told, "rows": rows, "facts_seconds": facts})
    return 0


if __name__ == "__main__":
    sys.exit(main())
