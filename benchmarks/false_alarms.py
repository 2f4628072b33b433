"""Hold right layers, losses, networks and plain functions against every check, and count the false alarms.

    python benchmarks/false_alarms.py [--checks 100000] [--seed 0] [--jobs 2] [--json FILE]

A check is one verdict: one rung of the ladder on one argument (a rung that does not run is none), or one promise of the
contract. The subjects are drawn anew in every round: a case of every registered layer and loss, in training and not,
random networks with a random loss, and the right pairs and harmless twins of the bug zoo. Every verdict of FAIL is an
alarm, and is printed with what it takes to see it again. Exit code 1 if there was one.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import scratchnet.layers
import scratchnet.losses  # noqa: F401  (both fill the registries)
from scratchnet.check import Report, Verdict, check_gradients, check_loss, check_network
from scratchnet.check.contract import CHECKS
from scratchnet.check.ladder import LADDER
from scratchnet.check.layers import FLOATS, check_case
from scratchnet.check.wiring import draw_network
from scratchnet.check.zoo import SPECIES
from scratchnet.core import LAYERS, LOSSES, Network, RandomDraw
from scratchnet.losses import MSE

PROMISES = {"layer": len(CHECKS) + 3, "function": 8, "loss": 13, "network": 0}
"""Promises that a report stands for besides its proofs: of a layer the contract, its repr, parity and ties between
arguments, of functions the seven of `promises.broken_promises` and ties, of a loss 13 comparisons of `check_loss`."""


def subjects(number: int) -> Iterator[tuple[str, str, Report]]:
    """(what kind, how to draw it again, its report) of one round."""
    rungs = tuple(LADDER) if number % 8 == 0 else FLOATS
    rng = np.random.default_rng([number, 31])
    draw = RandomDraw(rng)
    for name, cls in sorted(LAYERS.items()):
        case = cls.cases(draw)
        batch, training = draw.integer(2, 4), draw.one_of(True, False)
        report = check_case(case, number, batch=batch, training=training, rungs=rungs)
        yield "layer", f"{name}: check_case({case}, {number}, batch={batch}, training={training})", report
    for name, loss in sorted(LOSSES.items()):
        loss_case = loss.cases(draw)
        yield "loss", f"{name}: check_loss({loss_case}, {number})", check_loss(loss_case, number, rungs=rungs)
    case = draw_network(draw)
    net = Network([case.layer], case.in_shape, seed=number, backend="reference", dtype="float64")
    x = rng.integers(0, case.index_below, (3, *case.in_shape)) if case.values == "index" else None
    x = rng.normal(size=(3, *case.in_shape)) if x is None else x
    targets = rng.normal(size=(3, *net.output_shape))
    yield "network", f"{net!r}, seed {number}", check_network(net, MSE(), x, targets, seed=number, rungs=rungs)
    for species in SPECIES.values():
        if species.family == "large" and number % 8:
            continue
        inputs = species.inputs(np.random.default_rng([number, 37]))
        for name, backward in {"": species.backward, **{twin.name: twin.backward for twin in species.twins}}.items():
            report = check_gradients(species.forward, backward, inputs, seed=number, rungs=rungs, most=40)
            yield "function", f"{species.name} {name}, inputs of [{number}, 37]", report


def one_round(number: int) -> tuple[Counter[str], list[str]]:
    """(checks by what was checked and by rung, alarms) of one round."""
    counts: Counter[str] = Counter()
    alarms = []
    for kind, again, report in subjects(number):
        counts[f"{kind}, promises"] += PROMISES[kind]
        for finding in report.findings:
            for proof in finding.proofs:
                if proof.verdict is not Verdict.NOT_RUN:
                    counts[f"{kind}, {proof.rung}"] += 1
                    counts["of them vacuous"] += proof.verdict is Verdict.VACUOUS
        if report.verdict is Verdict.FAIL:
            alarms.append(f"{again}\n{report}")
    return counts, alarms


def main() -> int:
    """Rounds until there are checks enough."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checks", type=int, default=100_000, help="verdicts to reach (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the first round (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="write the counts here")
    options = parser.parse_args()
    if options.checks < 1 or options.jobs < 1 or options.seed < 0:
        parser.error("--checks and --jobs are 1 or more, --seed 0 or more")
    began, total, alarms, rounds = time.perf_counter(), Counter[str](), [], 0
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        for counts, found in pool.imap(one_round, range(options.seed, options.seed + 10**9)):
            rounds += 1
            total += counts
            alarms += found
            for alarm in found:
                print(f"FALSE ALARM {alarm}", flush=True)
            checks = sum(total.values()) - total["of them vacuous"]
            if rounds % 10 == 0:
                print(f"{checks:,} checks, {len(alarms)} alarms, {time.perf_counter() - began:.0f} s", flush=True)
            if checks >= options.checks:
                pool.terminate()
                break
    seconds = time.perf_counter() - began
    for what, count in sorted(total.items()):
        print(f"  {what:<36}{count:>9,}")
    print(f"{checks:,} checks in {rounds} rounds from seed {options.seed}: {len(alarms)} false alarms, {seconds:.0f} s")
    if options.json:
        result = {"checks": checks, "rounds": rounds, "seed": options.seed, "alarms": alarms, "seconds": seconds}
        partial = options.json.with_name(options.json.name + ".part")
        partial.write_text(json.dumps(result | {"by": dict(total)}, indent=2) + "\n")
        partial.replace(options.json)
    return 1 if alarms else 0


if __name__ == "__main__":
    sys.exit(main())
