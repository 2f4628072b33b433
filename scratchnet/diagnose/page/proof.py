"""The proof by experiment: the same short run again, with one thing changed at a time."""

from __future__ import annotations

import math

from scratchnet.train.shown.formats import duration, number, percent

from ..proof import Outcome, Proof
from .markup import Markup, join, tag


def proof_table(proof: Proof) -> Markup:
    """The run as it was and every trial, a bar behind each accuracy; how it was measured, and what is missing."""
    first = proof.baseline
    heads = "changed", f"{first.split} accuracy", "loss", "steps", "time", "would cure"
    rows = [_row("nothing", first, ())] + [_row(t.text, t.outcome, t.causes) for t in proof.trials]
    head = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in heads)))
    told = [f"{proof.stretch.capitalize()} again each time, with the same seed; measured on "
            f"{first.total:,} samples of {first.split}."]  # fmt: skip
    told += [f"{text}: {o.ended}." for text, o in (("nothing", first), *((t.text, t.outcome) for t in proof.trials))
             if o.ended]  # fmt: skip
    if proof.missing:
        told.append(f"{'Interrupted' if proof.interrupted else 'Out of time'}, not tried: {', '.join(proof.missing)}.")
    return tag(
        "div",
        tag("h2", "The proof: one thing changed at a time"),
        tag("div", tag("table", head, tag("tbody", *rows)), class_="scroll"),
        join(*(tag("p", line, class_="dim") for line in told)),
        class_="proof",
        id="proof",
    )


def _row(text: str, outcome: Outcome, causes: tuple[str, ...]) -> Markup:
    reached = outcome.accuracy
    bar = None if reached is None else f"--share:{100 * reached:.1f}%"
    loss = "-" if outcome.loss is None or not math.isfinite(outcome.loss) else number(outcome.loss)
    return tag(
        "tr",
        tag("th", text, scope="row"),
        tag("td", percent(reached), class_="share" if bar else None, style=bar),
        *(tag("td", cell) for cell in (loss, f"{outcome.steps:,}", duration(outcome.seconds))),
        tag("td", ", ".join(causes), class_="dim"),
    )
