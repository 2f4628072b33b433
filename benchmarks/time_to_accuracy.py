"""How long it takes to train to 97, 98 and 99% on MNIST's test set, in scratchnet and in PyTorch by the same recipe.

    python benchmarks/time_to_accuracy.py [--json FILE] [--targets 97,98,99] [--engines scratchnet,torch] [--runs 5]
                                          [--peer-runs 3] [--threads 2] [--held-out validation]

Each target has a recipe (`_recipes.py`): net, initial distribution, batch size, optimizer, schedule and number of
epochs, chosen on 10,000 training images with the other 50,000 to train on (`--held-out validation` repeats that). Here
a recipe trains on all 60,000, and the test set is read once, when training is over, to say whether the target was met:
no choice was made by it. Runs differ in their seed; `met` says how many of them reached the target.

Every run is a process of its own. `from start` is the time from the start of the process to the end of training: the
interpreter, imports, reading the files, building the net, training. `training` is the loop alone, with what it compiles
or loads. Evaluation counts in neither. Both engines read the files in the same way, and take turns. scratchnet runs
with an empty Numba cache of its own (cold: every kernel that it needs is compiled), then with the cache that the first
run left (warm). Python's own byte code is compiled already in all of them. A second table holds the medians against
what the project wants of two quiet cores; it is a finding, not a check.

MNIST is read from $SCRATCHNET_DATA/mnist; without it nothing runs (exit code 2). On a machine that does other things
meanwhile no figure is worth much.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from _nets import mnist
from _recipes import ENGINES, RECIPES
from _report import about, console, load, processors, write
from _worker import environment
from rich.console import Console
from rich.table import Table

PAUSE = 0.05  # seconds between two runs
WANTED = (
    # target, cache, what, seconds at most, on two cores
    (98, "warm", "training", 2),
    (98, "warm", "whole", 4),
    (98, "cold", "whole", 25),
    (99, "warm", "training", 8),
    (99, "warm", "whole", 10),
    (99, "cold", "whole", 25),
)
WORDS = {"whole": "from process start", "training": "training alone"}


def run(engine: str, target: int, seed: int, o: argparse.Namespace, cache: str) -> dict[str, float]:
    """One run in a fresh process. Raises RuntimeError with its last words if it fails."""
    program = str(Path(__file__).with_name("_recipes.py"))
    time.sleep(PAUSE)
    began = time.time()
    done = subprocess.run(
        [sys.executable, program, engine, str(target), str(seed), str(o.threads), o.held_out, repr(began)],
        env=environment(o.threads) | {"NUMBA_CACHE_DIR": cache},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{engine}, {target}%: {' '.join(done.stderr.strip().splitlines()[-1:])}")
    facts: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return facts


def runs_of(target: int, engines: list[str], o: argparse.Namespace) -> list[dict[str, Any]]:
    """A row for each engine and state of the cache, the runs in turns."""
    rows: dict[tuple[str, str], list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as cache:
        if "scratchnet" in engines:
            rows["scratchnet", "cold"] = [run("scratchnet", target, o.seed, o, cache)]
        for number in range(o.runs):
            for engine in engines:
                if engine != "scratchnet" and number >= o.peer_runs:
                    continue
                done = run(engine, target, o.seed + number, o, cache)
                rows.setdefault((engine, "warm" if engine == "scratchnet" else ""), []).append(done)
    return [
        {"target": target, "engine": engine, "cache": state, "runs": runs} | summary(target, runs)
        for (engine, state), runs in rows.items()
    ]


def summary(target: int, runs: list[dict[str, float]]) -> dict[str, Any]:
    """Medians, and how many met the target."""
    medians = {name: statistics.median(run[name] for run in runs) for name in ("whole", "training", "accuracy")}
    return medians | {"met": sum(run["accuracy"] >= target / 100 for run in runs)}


def spread(values: list[float]) -> str:
    """Least and most."""
    return f"{min(values):.2f} … {max(values):.2f}"


def show(rows: list[dict[str, Any]], held_out: str, screen: Console) -> None:
    """The table."""
    title = f"seconds to an accuracy on MNIST's {held_out} set; medians; ratios: over PyTorch's"
    names = "target", "engine", "cache", "from start", "least … most", "ratio"
    names += "training", "least … most", "ratio", "accuracy", "least … most", "met"
    table = Table(title=title)
    for name in names:
        table.add_column(name, justify="left" if name in ("engine", "cache") else "right", no_wrap=True)
    for row in rows:
        cells = [f"{row['target']}%", row["engine"], row["cache"]]
        for what in WORDS:
            peer = next((r[what] for r in rows if r["engine"] == "torch" and r["target"] == row["target"]), None)
            cells += [f"{row[what]:.2f}", spread([r[what] for r in row["runs"]])]
            cells += [f"{row[what] / peer:.2f}" if peer and row["engine"] != "torch" else ""]
        shares = [r["accuracy"] for r in row["runs"]]
        cells += [f"{row['accuracy']:.2%}", f"{min(shares):.2%} … {max(shares):.2%}"]
        table.add_row(*cells, f"{row['met']} of {len(shares)}")
    screen.print(table)


def findings(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The medians beside what is wanted."""
    found = {(row["target"], row["cache"]): row for row in rows if row["engine"] == "scratchnet"}
    return [
        {"target": target, "cache": cache, "what": WORDS[what], "wanted": most, "seconds": found[target, cache][what]}
        for target, cache, what, most in WANTED
        if (target, cache) in found
    ]


def show_findings(found: list[dict[str, Any]], screen: Console) -> None:
    """A table of them, if there are any."""
    if not found:
        return
    table = Table(title="scratchnet against what is wanted of two cores, seconds; medians")
    for name in ("target", "cache", "what", "wanted", "is", ""):
        table.add_column(name, justify="right" if name in ("target", "wanted", "is") else "left", no_wrap=True)
    for f in found:
        over = f["seconds"] / f["wanted"] - 1
        verdict = "met" if over <= 0 else f"missed by {over:.0%}"
        table.add_row(f"{f['target']}%", f["cache"], f["what"], f"≤ {f['wanted']}", f"{f['seconds']:.2f}", verdict)
    screen.print(table)


def options() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything here")
    parser.add_argument("--targets", default=",".join(map(str, RECIPES)), help="percent (default: %(default)s)")
    parser.add_argument("--engines", default=",".join(ENGINES), help="(default: %(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="warm runs, each with its seed (default: %(default)s)")
    parser.add_argument(
        "--peer-runs", type=int, default=3, help="PyTorch's, beside the first ones (default: %(default)s)"
    )
    parser.add_argument("--held-out", choices=("test", "validation"), default="test", help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the first run (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=processors(), help="(default: %(default)s)")
    o = parser.parse_args()
    o.targets, o.engines = o.targets.split(","), o.engines.split(",")
    for given, known in ((o.targets, {str(target) for target in RECIPES}), (o.engines, set(ENGINES))):
        if not set(given) <= known:
            parser.error(f"unknown: {', '.join(sorted(set(given) - known))}; there are {', '.join(sorted(known))}")
    if min(o.runs, o.peer_runs, o.threads) < 1 or o.seed < 0:
        parser.error("--runs, --peer-runs and --threads are 1 or more, --seed 0 or more")
    if mnist("train") is None or mnist("t10k") is None:
        parser.error("MNIST is not there: set SCRATCHNET_DATA to a folder with mnist/ and its four IDX files in it")
    return o


def main() -> int:
    """Every target, the table, the file."""
    o, screen, rows, loads = options(), console(), list[dict[str, Any]](), [load()]
    engines = [engine for engine in o.engines if find_spec(engine)]
    try:
        for target in map(int, o.targets):
            screen.print(f"{target}%: {RECIPES[target]}", style="dim", markup=False, soft_wrap=True)
            rows += runs_of(target, engines, o)
    except RuntimeError as error:
        screen.print(f"{error}", markup=False)
        return 1
    show(rows, o.held_out, screen)
    show_findings(found := findings(rows), screen)
    for engine in set(o.engines) - set(engines):
        screen.print(f"NOT RUN {engine}: it is not installed", markup=False)
    screen.print(f"load before and after: {loads[0]}, {load()}; {o.threads} threads", markup=False)
    if o.json:
        recipes = {target: str(RECIPES[int(target)]) for target in o.targets}
        facts = about(o.threads) | {"load": [*loads, load()], "recipes": recipes}
        write(o.json, {"about": facts, "rows": rows, "findings": found})
    return 0


if __name__ == "__main__":
    sys.exit(main())
