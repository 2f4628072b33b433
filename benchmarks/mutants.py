"""How many mutants of the backward ops do the checks catch? Mutants are made by rule (`_rules.py`), none was chosen.

    python benchmarks/mutants.py [--only OP] [--limit N] [--seed S] [--jobs 2] [--json FILE] [--markdown FILE]
    python benchmarks/mutants.py --records FILE [FILE ...] --markdown FILE

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
import sys
import tomllib
from pathlib import Path

from _judge import judge
from _mutation import Mutant, identity, mutants
from _page import Run, latest, markdown, page, read, record, rows, state, write

LISTED = Path(__file__).with_name("mutants_equivalent.toml")
MOST_SURVIVORS = 0.01


def listed(kind: str) -> dict[str, str]:
    """The reason by the key of a mutant: of "equivalent" ones, or of "open" ones, which survive."""
    tables = tomllib.loads(LISTED.read_text(encoding="utf-8")).get(kind, [])
    return {
        f"{table['file']} {table['function']} | {key}": table["reason"] for table in tables for key in table["mutants"]
    }


def choose(options: argparse.Namespace) -> list[Mutant]:
    """The mutants that are asked for; a limit takes them evenly from all."""
    chosen = mutants()
    if options.only:
        chosen = [m for m in chosen if options.only in (*m.ops, m.function)]
    if options.again:
        runs = read([options.again], listed("equivalent"), {m.key for m in chosen})
        options.key = [key for key, told in latest(runs).items() if told["verdict"] == "survivor"]
    if options.key is not None:
        chosen = [m for m in chosen if m.key in options.key]
    part, parts = map(int, options.part.split("/"))
    chosen = chosen[part - 1 :: parts]
    if options.limit and options.limit < len(chosen):
        chosen = [chosen[i * len(chosen) // options.limit] for i in range(options.limit)]
    return chosen


def judged(chosen: list[Mutant], most: int, options: argparse.Namespace) -> Run | None:
    """The verdicts; None if an op as it stands is refused: such a judge has nothing to say about mutants."""
    known, run = listed("equivalent"), Run(state(), options.seed, most)
    ops = sorted({op for mutant in chosen for op in mutant.ops})
    refused = [v for v in judge(map(identity, ops), options.seed, options.jobs, most) if v.by]
    for verdict in refused:
        print(f"the op as it stands is refused: {verdict.mutant.function}: {verdict.by}: {verdict.message}")
    if refused:
        return None
    for verdict in judge(chosen, options.seed, options.jobs, most):
        run.records[verdict.mutant.key] = record(verdict, known)
        if sys.stderr.isatty() or len(run.records) % 100 == 0:
            left = sum(not told["by"] for told in run.records.values())
            print(f"\r{len(run.records)} of {len(chosen)}, {left} left alive", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return run


def twice(chosen: list[Mutant], options: argparse.Namespace) -> list[Run]:
    """The verdicts under the first cases; those of the mutants left unexplained under more."""
    run = judged(chosen, options.cases, options)
    left = [mutant for mutant in chosen if run and mutant.key in run.survivors()]
    again = judged(left, options.more, options) if left and options.more > options.cases else None
    return [run for run in (run, again) if run is not None]


def tell(runs: list[Run]) -> int:
    """Print the table and what is wrong; the exit code."""
    known, present, records = listed("equivalent"), {mutant.key for mutant in mutants()}, latest(runs)
    print(markdown(rows(records.values())))
    survivors = [told for told in records.values() if told["verdict"] == "survivor"]
    wrong = [told for key, told in records.items() if told["by"] and key in known]
    stale = sorted({*known, *listed("open")} - present)
    share = len(survivors) / len(records)
    print(f"{len(survivors)} of {len(records)} survive unexplained: {share:.1%} (at most {MOST_SURVIVORS:.0%} may)")
    for title, keys in (
        ("survives", [f"{told['id']}  {told['key']}  ({told['cases']} cases)" for told in survivors]),
        ("listed as equivalent, but killed", [f"{told['key']}: {told['message']}" for told in wrong]),
        ("listed, but no such mutant", stale),
    ):
        for key in keys:
            print(f"{title}: {key}")
    return int(share > MOST_SURVIVORS or bool(wrong) or bool(stale))


def main() -> int:
    """Judge, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="an op, or a function that is mutated")
    parser.add_argument("--limit", type=int, default=0, help="so many mutants, evenly from all")
    parser.add_argument("--part", default="1/1", help="i/n: the i-th of n parts of the mutants")
    parser.add_argument("--key", action="append", help="these mutants, by key (may be repeated)")
    parser.add_argument("--again", type=Path, help="the survivors of a --json FILE, under other or more cases")
    parser.add_argument("--records", type=Path, nargs="+", help="judge nothing, take the verdicts of --json FILEs")
    parser.add_argument("--seed", type=int, default=0, help="of the drawn cases")
    parser.add_argument("--cases", type=int, default=12, help="so many cases, in both modes together, for a mutant")
    parser.add_argument("--more", type=int, default=400, help="so many for a mutant that is left unexplained")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write every verdict to this file")
    parser.add_argument("--markdown", type=Path, help="write figures, survivors and table to this file")
    parser.add_argument("--list", action="store_true", help="print the keys and judge nothing")
    options = parser.parse_args()
    chosen = choose(options)
    if options.list:
        print("\n".join(mutant.key for mutant in chosen))
        return 0
    if not chosen:
        parser.error("there is no such mutant")
    known, made = listed("equivalent"), {mutant.key for mutant in mutants()}
    runs = read(options.records, known, made) if options.records else twice(chosen, options)
    if not runs:
        return 1
    if options.json:
        write(runs, options.json)
    if options.markdown:
        options.markdown.write_text(page(runs, len(made), listed("open")), encoding="utf-8")
    return tell(runs)


if __name__ == "__main__":
    sys.exit(main())
