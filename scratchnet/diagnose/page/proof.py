"""The proof by experiment: the same short run again, with one thing changed at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .axis import finite, say
from .markup import Markup, figures, tag


@dataclass(frozen=True)
class Proof:
    """A table of counterfactuals.

    Attributes:
        columns: what stands in each column: ("what was changed", "train loss", "val accuracy").
        rows: (what was changed, value, value, ...); a value is a number, a text, or None where there is none. The
            first row is the run as it was.
        note: how it was measured, in a sentence.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    note: str = ""


def proof_table(proof: Proof) -> Markup:
    """The table, with a bar behind the numbers of a column of accuracies."""
    heads = [tag("th", name, scope="col") for name in proof.columns]
    shares = [_is_share(name, [row[i] for row in proof.rows if i < len(row)]) for i, name in enumerate(proof.columns)]
    rows = []
    for row in proof.rows:
        cells = [tag("th", str(row[0]) if row else "", scope="row")]
        for i, value in enumerate(row[1:], 1):
            bar = i < len(shares) and shares[i] and isinstance(value, float)
            style = f"--share:{100 * finite(value):.1f}%" if bar else None
            words = f"{100 * finite(value):.1f}%" if bar else value if isinstance(value, str) else say(value)
            cells.append(tag("td", words, class_="share" if bar else None, style=style))
        rows.append(tag("tr", *cells))
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows))
    head, note = tag("h2", "The proof: one thing changed at a time"), tag("p", figures(proof.note), class_="dim")
    parts = head, tag("div", table, class_="scroll"), note if proof.note else None
    return tag("div", *parts, class_="proof", id="proof")


def _is_share(name: str, values: Sequence[object]) -> bool:
    """Whether these are accuracies in [0, 1]: a loss may lie there too, and is no share."""
    told = [v for v in values if v is not None]
    return "accuracy" in name and bool(told) and all(isinstance(v, float) and 0 <= v <= 1 for v in told)
