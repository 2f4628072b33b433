"""A diagnosis for people: the verdict on top, at any width, on a terminal or in a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from scratchnet.train.shown.console import Report

from .diagnosis import Diagnosis, Finding
from .proof_table import show_proof

DEEP = 3  # levels of consequences that are still set in: at 40 columns a deeper one has no room


def show(diagnosis: Diagnosis, file: IO[str] | None = None) -> None:
    """Print it: first cause, its consequences, other suspects, what could not be checked."""
    report = Report(file=file)
    console = report.console
    _line(console, f"Diagnosis of {diagnosis.source}" if diagnosis.source else "Diagnosis", "bold")
    for note in diagnosis.notes:
        _line(console, f"Note: {note}", "yellow", 2)
    first = diagnosis.first
    if first is None and not diagnosis.fine:
        _line(console, "\nNothing could be checked: the history tells too little.", "bold yellow")
    elif first is None:
        few = len(diagnosis.fine) < len(diagnosis.unknown)
        _line(console, f"\nNothing was found: {_fine(diagnosis)}.", "bold yellow" if few else "bold green")
    else:
        console.print()
        _verdict(console, first)
        if len(diagnosis.findings) > 1:
            _line(console, "\nOther suspects", "bold")
        for number, finding in enumerate(diagnosis.findings[1:], 2):
            _suspect(console, number, finding)
    if diagnosis.proof is not None:
        show_proof(diagnosis.proof, report)
    _checked(console, diagnosis)


def _verdict(console: Console, finding: Finding) -> None:
    """The first cause with everything that is known of it."""
    cause = finding.cause
    _line(console, f"1. {cause.title}  ({cause.id}, {finding.certainty})", "bold red")
    _evidence(console, finding, 3)
    _part(console, "Why", cause.explanation)
    _part(console, "Cure", cause.remedy)
    _part(console, "More", cause.lesson)
    consequences = list(_below(finding))
    if consequences:
        _line(console, "It brought about", "bold", 3)
        for depth, one in consequences:
            _brief(console, one, 3 + 2 * min(depth, DEEP))


def _suspect(console: Console, number: int, finding: Finding) -> None:
    _line(console, f"{number}. {finding.cause.title}  ({finding.cause.id}, {finding.certainty})", "yellow")
    _evidence(console, finding, 3)
    _part(console, "Cure", finding.cause.remedy)
    for depth, one in _below(finding):
        _brief(console, one, 3 + 2 * min(depth, DEEP))


def _brief(console: Console, finding: Finding, indent: int) -> None:
    """A consequence: its title and the number that speaks most."""
    best = finding.found.evidence[0]
    text = Text(f"{finding.cause.title}: {best.text}").append(f"  [{best.where}]" if best.where else "", "dim")
    _item(console, "→", text, indent)


def _below(finding: Finding, depth: int = 0) -> Iterator[tuple[int, Finding]]:
    for one in finding.consequences:
        yield depth, one
        yield from _below(one, depth + 1)


def _evidence(console: Console, finding: Finding, indent: int) -> None:
    for one in finding.found.evidence:
        _item(console, "•", Text(one.text).append(f"  [{one.where}]" if one.where else "", "dim"), indent)


def _checked(console: Console, diagnosis: Diagnosis) -> None:
    if diagnosis.unknown:
        _line(console, "\nCould not be checked", "bold")
        by_reason: dict[str, list[str]] = {}
        for cause, why in diagnosis.unknown:
            by_reason.setdefault(why, []).append(cause.id)
        for why, ids in by_reason.items():
            text = Text(", ".join(ids)).append(f": not known: {why}", "dim")
            console.print(Padding(text, (0, 0, 0, 2), expand=False))
    if diagnosis.fine and diagnosis.first is not None:
        _line(console, "\nChecked and found fine", "bold")
        _line(console, ", ".join(cause.id for cause in diagnosis.fine), "dim", 2)


def _fine(diagnosis: Diagnosis) -> str:
    every = len(diagnosis.fine) + len(diagnosis.unknown)
    only = "only " if len(diagnosis.fine) < len(diagnosis.unknown) else ""
    return f"{only}{len(diagnosis.fine)} of {every} causes could be looked for, and are not there"


def _part(console: Console, name: str, text: str) -> None:
    console.print(Padding(Text(f"{name}: ", "bold").append(text, "not bold"), (0, 0, 0, 3), expand=False))


def _item(console: Console, mark: str, text: Text, indent: int) -> None:
    """A mark and a text that hangs behind it."""
    text.overflow = "fold"
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_row(Text(mark, "dim"), text)
    console.print(Padding(grid, (0, 0, 0, indent), expand=False))


def _line(console: Console, text: str, style: str = "", indent: int = 0) -> None:
    console.print(Padding(Text(text, style, overflow="fold"), (0, 0, 0, indent), expand=False))
