"""How many mutants of the backward ops do the checks catch? Mutants are made by rule (`_rules.py`), none was chosen.

    python benchmarks/mutants.py [--only OP] [--limit N] [--seed S] [--jobs 2] [--json FILE] [--markdown FILE]

Each backward op of a layer or loss, and each helper that it reaches, is changed in one place at a time; the forward
stays. The mutant is judged by check_layer_gradients and check_contract (check_loss for a loss) on the reference
backend, under drawn cases of the layers that call it, in both modes. Parity with other implementations is not asked.
In the table, "raises" are those that do not even run (a wrong shape, say): any test would see them.

A mutant is killed, or it survives, or it is equivalent: listed in mutants_equivalent.toml with the reason why nothing
that a caller may do can tell it from the original. Exits with 1 if more than 1 % survive unexplained, if the op as it
stands is not let through, or if a mutant that is listed as equivalent is killed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tomllib
from pathlib import Path
from typing import Any

from _judge import Verdict, judge
from _mutation import Mutant, identity, mutants

EQUIVALENT = Path(__file__).with_name("mutants_equivalent.toml")
MOST_SURVIVORS = 0.01
CONTROLS = 12
"""Cases for an op as it stands."""
HEAD = ("function", "mutants", "gradient", "contract", "raises", "other", "equivalent", "survive", "median s")


def equivalents() -> dict[str, str]:
    """The reason by the key of a mutant."""
    tables = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")).get("equivalent", [])
    return {
        f"{table['file']} {table['function']} | {key}": table["reason"] for table in tables for key in table["mutants"]
    }


def choose(options: argparse.Namespace) -> list[Mutant]:
    """The mutants that are asked for; a limit takes them evenly from all."""
    chosen = mutants()
    if options.only:
        chosen = [m for m in chosen if options.only in (*m.ops, m.function)]
    if options.again:
        records = json.loads(options.again.read_text(encoding="utf-8"))
        options.key = [record["key"] for record in records if record["verdict"] == "survivor"]
    if options.key is not None:
        chosen = [m for m in chosen if m.key in options.key]
    part, parts = map(int, options.part.split("/"))
    chosen = chosen[part - 1 :: parts]
    if options.limit and options.limit < len(chosen):
        chosen = [chosen[i * len(chosen) // options.limit] for i in range(options.limit)]
    return chosen


def rows(verdicts: list[Verdict], known: dict[str, str]) -> list[tuple[Any, ...]]:
    """The table: one row a function, and the sum."""
    places: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        places.setdefault(f"{Path(verdict.mutant.file).stem}.{verdict.mutant.function}", []).append(verdict)
    table = []
    for place, group in [*sorted(places.items()), ("all", verdicts)]:
        by = [verdict.by for verdict in group]
        left = [verdict for verdict in group if not verdict.by]
        equivalent = sum(verdict.mutant.key in known for verdict in left)
        counts = [by.count(kind) for kind in ("gradient", "contract", "raises")]
        other = by.count("time") + by.count("death")
        median = f"{statistics.median(verdict.seconds for verdict in group):.2f}"
        table.append((place, len(group), *counts, other, equivalent, len(left) - equivalent, median))
    return table


def markdown(table: list[tuple[Any, ...]]) -> str:
    """The table as Markdown."""
    lines = [HEAD, ("---", *["---:"] * (len(HEAD) - 1)), *table]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def control(chosen: list[Mutant], options: argparse.Namespace) -> list[Verdict]:
    """Verdicts on the ops as they stand: a judge that refuses these has nothing to say about mutants."""
    ops = sorted({op for mutant in chosen for op in mutant.ops})
    return list(judge([identity(op) for op in ops], options.seed, options.jobs, min(options.cases, CONTROLS)))


def main() -> int:
    """Judge, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="an op, or a function that is mutated")
    parser.add_argument("--limit", type=int, default=0, help="so many mutants, evenly from all")
    parser.add_argument("--part", default="1/1", help="i/n: the i-th of n parts of the mutants")
    parser.add_argument("--key", action="append", help="these mutants, by key (may be repeated)")
    parser.add_argument("--again", type=Path, help="the survivors of a --json FILE, under other or more cases")
    parser.add_argument("--seed", type=int, default=0, help="of the drawn cases")
    parser.add_argument("--cases", type=int, default=100, help="so many cases, in both modes together, for a mutant")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write every verdict to this file")
    parser.add_argument("--markdown", type=Path, help="write the table to this file")
    parser.add_argument("--list", action="store_true", help="print the keys and judge nothing")
    options = parser.parse_args()
    chosen, known = choose(options), equivalents()
    if options.list:
        print("\n".join(mutant.key for mutant in chosen))
        return 0
    if not chosen:
        parser.error("there is no such mutant")
    stale = sorted(known.keys() - {mutant.key for mutant in mutants()})
    refused = [verdict for verdict in control(chosen, options) if verdict.by]
    for verdict in refused:
        print(f"the op as it stands is refused: {verdict.mutant.function}: {verdict.by}: {verdict.message}")
    verdicts: list[Verdict] = []
    for verdict in judge(chosen, options.seed, options.jobs, options.cases) if not refused else ():
        verdicts.append(verdict)
        if sys.stderr.isatty() or len(verdicts) % 100 == 0:
            left = sum(not verdict.by for verdict in verdicts)
            print(f"\r{len(verdicts)} of {len(chosen)}, {left} left alive", end="", file=sys.stderr, flush=True)
    if options.json:
        options.json.write_text(json.dumps([record(v, known) for v in verdicts], indent=1), encoding="utf-8")
    if refused:
        return 1
    print(file=sys.stderr)
    table = rows(verdicts, known)
    print(markdown(table))
    if options.markdown:
        options.markdown.write_text(markdown(table), encoding="utf-8")
    survivors = [v for v in verdicts if not v.by and v.mutant.key not in known]
    wrong = [v for v in verdicts if v.by and v.mutant.key in known]
    share = len(survivors) / len(verdicts)
    print(f"{len(survivors)} of {len(verdicts)} survive unexplained: {share:.1%} (at most {MOST_SURVIVORS:.0%} may)")
    for title, keys in (
        ("survives", [f"{v.mutant.id}  {v.mutant.key}  ({v.trials} cases)" for v in survivors]),
        ("listed as equivalent, but killed", [f"{v.mutant.key}: {v.message}" for v in wrong]),
        ("listed as equivalent, but no such mutant", stale),
    ):
        for key in keys:
            print(f"{title}: {key}")
    return int(share > MOST_SURVIVORS or bool(wrong) or bool(stale))


def record(verdict: Verdict, known: dict[str, str]) -> dict[str, Any]:
    """A verdict for the JSON file."""
    mutant = verdict.mutant
    equivalent = known.get(mutant.key) if not verdict.by else None
    return {
        "id": mutant.id,
        "key": mutant.key,
        "diff": f"- {mutant.before}  + {mutant.after}",
        "ops": mutant.ops,
        "verdict": "killed" if verdict.by else "equivalent" if equivalent else "survivor",
        "by": verdict.by,
        "message": verdict.message,
        "equivalent": equivalent,
        "cases": verdict.trials,
        "seconds": round(verdict.seconds, 3),
    }


if __name__ == "__main__":
    sys.exit(main())
