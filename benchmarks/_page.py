"""What a run of mutants.py says: its records, the table, and docs/mutants.md, which is written here as a whole."""

from __future__ import annotations

import json
import platform
import statistics
import subprocess
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from _judge import Verdict

import scratchnet

HEAD = ("function", "mutants", "gradient", "contract", "raises", "other", "equivalent", "survive", "cases")
OTHER = ("time", "death")

TEXT = """\
# Mutants of the backward ops

How many small mistakes, made by rule, do the checks of scratchnet let through? This page is written by

    python benchmarks/mutants.py --json mutants.json --markdown docs/mutants.md

and is not edited by hand. `--records mutants.json` writes it again without a run.

## What was done

Each backward op of a layer or loss in the reference, and each helper that it reaches, is changed in one place at a
time, by every rule that fits the place: an operator or a comparison exchanged, an operand, index, bound, keyword, call,
branch or statement left out, a bound, index or constant one off, a minus added, an axis flipped, two elements,
operands or branches exchanged, a name taken for its neighbour, `=` for `+=` and the reverse. No mutant was chosen, and
none left out. The forward stays as it is, also where both share a helper.

A mutant is judged by `check_layer_gradients` (complex steps, then finite differences) and `check_contract` on the
reference backend, a mutant of a loss by `check_loss`, under drawn cases of every layer or loss that calls it, in
training and in evaluation. No second implementation is asked: parity with another backend or library plays no part.
First each op is judged as it stands, under the same cases: it must be let through. Mutants that are left unexplained
after the first cases are judged again under many more; of two verdicts on one mutant the later counts.

- **gradient**: killed, since the gradient is not the derivative of the forward.
- **contract**: killed, since a promise is broken: an input changed, a view returned, memory read before it is
  written, not linear in the cotangent, float32 far from float64.
- **raises**: killed, since it does not run, mostly for a wrong shape. Any test at all would see these.
- **other**: killed, since it did not end in time, or took the process with it.
- **equivalent**: not killed, and no call of a layer or loss tells it apart by what it gives; each is listed with its
  reason in `benchmarks/mutants_equivalent.toml`. A run in which one of them is killed fails.
- **survive**: not killed, and not equivalent; each is below.
"""


@dataclass(frozen=True)
class Run:
    """Verdicts on mutants by key, and what they were reached with.

    Attributes:
        state: what was judged.
        seed: of the draws.
        most: cases for a mutant.
        records: the verdicts.
    """

    state: str
    seed: int
    most: int
    records: dict[str, dict[str, Any]] = field(default_factory=dict)

    def survivors(self) -> list[str]:
        """The keys of those that were neither killed nor explained."""
        return [key for key, told in self.records.items() if told["verdict"] == "survivor"]


def write(runs: Sequence[Run], file: Path) -> None:
    """The runs as JSON."""
    told = [asdict(run) | {"records": list(run.records.values())} for run in runs]
    file.write_text(json.dumps(told, indent=1), encoding="utf-8")


def read(files: Iterable[Path], known: dict[str, str], present: set[str]) -> list[Run]:
    """What `write` wrote, by what is listed as equivalent now, and of mutants that there still are.

    Args:
        files: in the order of their writing.
        known: the reason by the key of each equivalent mutant.
        present: the keys of all mutants.
    """
    told = [run for file in files for run in json.loads(file.read_text(encoding="utf-8"))]
    runs = []
    for run in told:
        kept = {record["key"]: record for record in run["records"] if record["key"] in present}
        for key, record in kept.items():
            record["verdict"] = "killed" if record["by"] else "equivalent" if key in known else "survivor"
        runs.append(Run(run["state"], run["seed"], run["most"], kept))
    return runs


def latest(runs: Sequence[Run]) -> dict[str, dict[str, Any]]:
    """The verdicts by key: of two on one mutant the later."""
    return {key: told for run in runs for key, told in run.records.items()}


def state() -> str:
    """What is judged: the version, and the commit where there is one."""
    folder = Path(__file__).resolve().parent
    try:
        told = subprocess.run(
            ["git", "describe", "--always", "--dirty=, with changes", "--abbrev=7", "--exclude=*"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
        commit = f" at {told.stdout.strip()}"
    except (OSError, subprocess.CalledProcessError):
        commit = ""
    return f"scratchnet {scratchnet.__version__}{commit}, NumPy {np.__version__}, Python {platform.python_version()}"


def record(verdict: Verdict, known: dict[str, str]) -> dict[str, Any]:
    """A verdict as plain data."""
    mutant = verdict.mutant
    return {
        "id": mutant.id,
        "key": mutant.key,
        "diff": f"- {mutant.before}  + {mutant.after}",
        "ops": mutant.ops,
        "verdict": "killed" if verdict.by else "equivalent" if mutant.key in known else "survivor",
        "by": verdict.by,
        "message": verdict.message,
        "equivalent": "" if verdict.by else known.get(mutant.key, ""),
        "cases": verdict.trials,
        "seconds": round(verdict.seconds, 3),
    }


def _place(told: dict[str, Any]) -> str:
    file, function = told["key"].split(" | ")[0].split()
    return f"{file.removesuffix('.py')}.{function}"


def rows(records: Iterable[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """The table: one row a function, and the sum. The last column: the median of how many cases a kill took."""
    places: dict[str, list[dict[str, Any]]] = {}
    for told in records:
        places.setdefault(_place(told), []).append(told)
    table = []
    everything = [told for group in places.values() for told in group]
    for place, group in [*sorted(places.items()), ("all", everything)]:
        by = Counter(told["by"] for told in group)
        left = Counter(told["verdict"] for told in group)
        took = [told["cases"] for told in group if told["by"] in ("gradient", "contract")]
        counts = [by[kind] for kind in ("gradient", "contract", "raises")]
        other = sum(by[kind] for kind in OTHER)
        median = f"{statistics.median(took):g}" if took else ""
        table.append((place, len(group), *counts, other, left["equivalent"], left["survivor"], median))
    return table


def markdown(table: list[tuple[Any, ...]]) -> str:
    """The table as Markdown."""
    lines = [HEAD, ("---", *["---:"] * (len(HEAD) - 1)), *table]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def page(runs: Sequence[Run], made: int, notes: dict[str, str]) -> str:
    """docs/mutants.md.

    Args:
        runs: of two verdicts on one mutant the later counts.
        made: how many mutants there are, judged or not.
        notes: what is known of survivors, by key.
    """
    records = latest(runs)
    table = rows(records.values())
    return "\n".join(
        [TEXT, *_figures(runs, list(records.values()), made), "", *_survivors(records, notes), "", markdown(table)]
    )


def _figures(runs: Sequence[Run], records: list[dict[str, Any]], made: int) -> list[str]:
    by, left = Counter(told["by"] for told in records), Counter(told["verdict"] for told in records)
    total, survive, other = len(records), left["survivor"], sum(by[kind] for kind in OTHER)
    asked = total - by["raises"] - left["equivalent"]
    took = sorted(told["cases"] for told in records if told["by"] in ("gradient", "contract"))
    met = [told["cases"] for told in records if told["verdict"] == "survivor"]
    same = [told["cases"] for told in records if told["verdict"] == "equivalent"]
    ops, functions = {op for told in records for op in told["ops"]}, {_place(told) for told in records}
    passes: Counter[tuple[str, int, int]] = Counter()
    for run in runs:
        passes[run.state, run.most, run.seed] += len(run.records)
    which = "all mutants that the rules make" if total == made else f"of {made:,} that the rules make"
    lines = [
        "## Figures",
        "",
        *(
            f"- {count:,} mutants under at most {most} cases each (draws of seed {seed}): {state}."
            for (state, most, seed), count in passes.items()
        ),
        f"- Together {total:,} mutants ({which}), of {len(functions)} functions that {len(ops)} backward ops reach.",
        f"- Killed: {by['gradient']:,} by the gradient, {by['contract']:,} by the contract, {by['raises']:,} raise, "
        f"{other:,} other.",
        f"- Equivalent: {left['equivalent']:,}.",
        f"- Survive: {survive:,}, which is {survive / total:.2%} of all, and {survive / max(asked, 1):.2%} of the "
        f"{asked:,} that run and are not equivalent.",
    ]
    if took:
        first = sum(cases == 1 for cases in took) / len(took)
        lines.append(
            f"- Of those killed by gradient or contract {first:.0%} fell to their first case, 99 % within "
            f"{took[int(0.99 * (len(took) - 1))]} cases, the last in case {took[-1]}."
        )
    for cases, what in ((met, "survivor"), (same, "equivalent mutant")):
        if cases:
            lines.append(f"- Each {what} came through {min(cases)} cases at least, {max(cases)} at most.")
    return lines


def _survivors(records: dict[str, dict[str, Any]], notes: dict[str, str]) -> list[str]:
    alive = [told for told in records.values() if told["verdict"] == "survivor"]
    lines = ["## Survivors", ""]
    if not alive:
        return [*lines, "None."]
    for told in alive:
        change = told["diff"].removeprefix("- ").split("  + ")
        note = notes.get(told["key"], "no reason found")
        lines.append(f"- `{_place(told)}`, {told['id'].split(':', 3)[3]}: `{change[0]}` became `{change[1]}`: {note}.")
    return lines
