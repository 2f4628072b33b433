"""How much memory training on MNIST takes beyond what is there anyway: the interpreter, its packages, and the data.

    python benchmarks/memory.py [--json FILE] [--models mlp,cnn] [--threads 2] [--own-cache]

Three processes for each model of `examples/mnist_manual.py`, and of each the peak of resident memory as the system
tells it (getrusage, in units of 10⁶ bytes):

    interpreter and data   imports all that the example imports, Numba included, and loads the pictures: uint8, resident
    and kernels            the same, and trains on one sample at a time for three steps and evaluates one: the compiler,
                           and the machine code of every kernel (cold: compiled there; warm: read from Numba's cache)
    training               the example itself for an epoch at its own batch size, with its evaluations

`above` is what the third has over the first, `of it kernels` what the second has over the first: what remains is
parameters, gradients, optimizer state, activations and batches, those of the evaluation at 1,000 samples included.
`by net.summary` is what `net.summary` says of parameters, gradients and activations of a training step.

MNIST is read from $SCRATCHNET_DATA/mnist; without it digits are drawn, as many as the example draws.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from _nets import mnist
from _report import about, console, load, processors, write
from _worker import environment
from rich.table import Table

EXAMPLE = Path(__file__).parents[1] / "examples" / "mnist_manual.py"
MODELS = ("mlp", "cnn")
BATCH = 128
TARGET = 150  # 10⁶ bytes

# A process counts from the peak of the one that started it, which on Linux outlives exec: the parent stays small.
CHILD = """
import importlib.util, json, sys
import numpy as np

path, model, data, samples, val, trains = sys.argv[1:]
spec = importlib.util.spec_from_file_location("mnist_manual", path)
example = importlib.util.module_from_spec(spec)
spec.loader.exec_module(example)
from scratchnet.train.record import peak_memory_mb

example.get_backend("cpu")
pictures = example.load(data, None, val=int(val), samples=int(samples), seed=0)
told = {"bytes": sum(split.x.nbytes for split in pictures.splits)}
if trains == "yes":
    net = example.Network(example.MODELS[model](pictures.classes), pictures.input_shape)
    loss, optimizer = example.SoftmaxCrossEntropy(), example.OPTIMIZERS["momentum"][0](0.2)
    batches = example.Batches(pictures.train, 1).epoch(0)
    for _ in range(3):
        x, y = next(batches)
        logits, tape = net.forward(x, training=True)
        _, dlogits = loss(logits, y, tape)
        net.zero_grad()
        net.backward(dlogits, tape)
        example.gradient_norms(net)
        optimizer.step(net)
    net.predict(x)
    told["summary"] = net.summary(BATCH).peak
print(json.dumps(told | {"peak": peak_memory_mb()}))
""".replace("BATCH", str(BATCH))


def child(model: str, data: str, trains: bool, o: argparse.Namespace, env: dict[str, str]) -> dict[str, Any]:
    """What a process of the first or second kind says. Raises RuntimeError with its last words."""
    given = str(EXAMPLE), model, data, str(o.samples), str(o.val), "yes" if trains else "no"
    return _run(["-c", CHILD, *given], env, None)


def example(model: str, data: str, o: argparse.Namespace, env: dict[str, str], folder: str) -> dict[str, Any]:
    """The figures of the example after an epoch."""
    path = Path(folder, "figures.json")
    settings = {"model": model, "data": data, "samples": o.samples, "val": o.val, "epochs": 1, "batch-size": BATCH}
    given = [f"--{name}={value}" for name, value in settings.items()]
    return _run([str(EXAMPLE), *given, f"--json={path}"], env, path)


def _run(arguments: list[str], env: dict[str, str], answer: Path | None) -> dict[str, Any]:
    done = subprocess.run([sys.executable, *arguments], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    said: dict[str, Any] = json.loads(answer.read_text() if answer else done.stdout.strip().splitlines()[-1])
    return said


def rows_of(model: str, data: str, o: argparse.Namespace) -> list[dict[str, Any]]:
    """A row with an empty kernel cache and one with the cache that this left; or one with the user's own."""
    rows, given = [], environment(o.threads)
    with tempfile.TemporaryDirectory() as folder:
        # Each of the two processes that compile has a cache of its own, so that both are cold, then both warm.
        places = [given if o.own_cache else given | {"NUMBA_CACHE_DIR": str(Path(folder, name))} for name in "ab"]
        base = child(model, data, False, o, places[0])
        for cache in ("own",) if o.own_cache else ("cold", "warm"):
            one, run = child(model, data, True, o, places[0]), example(model, data, o, places[1], folder)
            row = {"model": model, "cache": cache, "interpreter_and_data": base["peak"], "data": base["bytes"] / 1e6}
            row |= {"training": run["peak_memory_mb"], "above": run["peak_memory_mb"] - base["peak"]}
            row |= {"kernels": one["peak"] - base["peak"], "rest": run["peak_memory_mb"] - one["peak"]}
            rows.append(row | {"summary": one["summary"] / 1e6})
    return rows


def options() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything here")
    parser.add_argument("--models", default=",".join(MODELS), help="(default: %(default)s)")
    parser.add_argument("--threads", type=int, default=processors(), help="(default: %(default)s)")
    parser.add_argument("--samples", type=int, default=60_000, help="training pictures (default: %(default)s)")
    parser.add_argument("--val", type=int, default=5000, help="of them to validate on (default: %(default)s)")
    parser.add_argument("--own-cache", action="store_true", help="take the kernels that are kept; no cold run")
    o = parser.parse_args()
    o.models = o.models.split(",")
    if not set(o.models) <= set(MODELS) or o.threads < 1:
        parser.error(f"--models are of {', '.join(MODELS)}, --threads is 1 or more")
    return o


def main() -> int:
    """Every model, the table, the file."""
    o, screen, loads, rows = options(), console(), [load()], list[dict[str, Any]]()
    data = "drawn" if mnist("train") is None or mnist("t10k") is None else "mnist"
    try:
        for model in o.models:
            rows += rows_of(model, data, o)
    except RuntimeError as error:
        screen.print(f"{error}", markup=False)
        return 1
    table = Table(title=f"peak memory of an epoch at batch {BATCH} on {data}, 10⁶ bytes; above: {TARGET} at most")
    names = {
        "interpreter_and_data": "interpreter and data",
        "data": "of it data",
        "training": "training",
        "above": "above",
        "kernels": "of it kernels",
        "rest": "and the rest",
        "summary": "by net.summary",
    }
    for name in ("model", "cache", *names.values()):
        table.add_column(name, justify="left" if name in ("model", "cache") else "right")
    for row in rows:
        table.add_row(row["model"], row["cache"], *(f"{row[name]:.1f}" for name in names))
    screen.print(table)
    screen.print(f"load before and after: {loads[0]}, {load()}; {o.threads} threads", markup=False)
    if o.json:
        write(o.json, {"about": about(o.threads) | {"load": [*loads, load()], "data": data}, "rows": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
