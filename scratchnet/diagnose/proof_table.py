"""The trials side by side, for people."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scratchnet.train.shown.console import Report
from scratchnet.train.shown.formats import duration, number, percent
from scratchnet.train.shown.tables import show_table

from .proof import Outcome, Proof

HEADS = "changed", "accuracy", "loss", "steps", "time", "would cure"


def show_proof(proof: Proof, report: Report) -> None:
    """A table: the run as it was, and with one thing changed each time; what reached most is bold."""
    if report.quiet:
        return
    first = proof.baseline
    on = f"on {first.total:,} samples of {first.split}"
    report.line(f"\nProof: {proof.stretch} again with one thing changed, {on}", "bold")
    best = proof.best()
    strong = [1 + proof.trials.index(best)] if best and proof.clear(best.outcome, first) else []
    rows = [("nothing", *_cells(first), ""), *((t.text, *_cells(t.outcome), ", ".join(t.causes)) for t in proof.trials)]
    show_table(report, HEADS, rows, strong=strong)
    for name, outcome in (("nothing", first), *((trial.text, trial.outcome) for trial in proof.trials)):
        if outcome.ended:
            report.line(f"  {name}: {outcome.ended}", "dim")
    if proof.missing:
        why = "interrupted" if proof.interrupted else "out of time"
        report.line(f"  {why}, not tried: {', '.join(proof.missing)}", "yellow")


def _cells(outcome: Outcome) -> Sequence[str]:
    loss = "-" if outcome.loss is None or not math.isfinite(outcome.loss) else number(outcome.loss)
    return percent(outcome.accuracy), loss, f"{outcome.steps:,}", duration(outcome.seconds)
