"""How often the doctor is right: seeded faulty and healthy training runs, each made mechanically, put to `diagnose`.

    python benchmarks/doctor.py [--half development|held-out|both] [--json FILE] [--only ID-OR-CAUSE...] [--jobs N]
    python benchmarks/doctor.py --list
    python benchmarks/doctor.py --half development --record DIR      # keep the runs: a run directory each, labels.json
    python benchmarks/doctor.py --from DIR [--json FILE]             # diagnose the runs kept there, train nothing

A faulty run is a healthy recipe (_doctor_base.py: task, network, optimizer, settings, all drawn) that has trained well
when left alone, with one fault built in by a function of a few lines (_doctor_faults_*.py). The fault must do harm, or
be a fact of the data or the record, by a rule of its own (_doctor_rules.py) that looks at figures measured beside the
run; a draw that does not keep its rule is drawn again, and never relabelled. A healthy run (_doctor_healthy.py) must
have trained well by a rule too. The labels know nothing of the doctor's rules, and the doctor sees a history alone.

Each run lies in one half by a hash of its name, within its cause and fault. Rules are set on runs of other seeds and on
the development half; the held-out half is run to report. A cause counts as found where it, or one declared equal to it
beforehand (`_doctor_rules.EQUAL`), stands first, or among the first three, in `diagnose(history).order`; a healthy run
on which anything is found is a false alarm. Data sets come from $SCRATCHNET_DATA; drawn digits stand in for what is not
there.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from _doctor_data import available
from _doctor_rules import EQUAL
from _doctor_score import BOTH, Row, as_dict, halves, table
from _doctor_store import read_runs, write_labels, write_run
from _doctor_suite import HALVES, SEED, Entry, entries, make
from _worker import environment

from scratchnet.train.history.history import History


def row_of(entry: Entry) -> Row:
    """What is known of a run before it is made."""
    fault = entry.fault
    second = list(fault.second) if fault else []
    return Row(entry.id, entry.cause, entry.half, entry.log, fault.name if fault else "", second)


def ask(row: Row, history: History) -> Row:
    """Put the history to the doctor."""
    from scratchnet.diagnose import diagnose

    began = time.perf_counter()
    try:
        row.said = list(diagnose(history).order)
    except Exception as error:  # an error of the doctor is a wrong answer, and is told
        row.error = f"{type(error).__name__}: {error}"
    row.seconds = time.perf_counter() - began
    return row


def work(entry: Entry, record: Path | None) -> Row:
    """Make a run; keep it or diagnose it."""
    row, made = row_of(entry), make(entry)
    if made is None or made.outcome.recorded is None:
        return row
    row.kept, row.what, row.tries, row.accuracy = True, made.what, made.tries, made.outcome.accuracy
    if record is None:
        return ask(row, made.outcome.recorded)
    write_run(record / entry.id, made.outcome.recorded)
    return row


def by_id(name: str, record: Path | None) -> Row:
    """`work` for a process of its own."""
    return work(next(entry for entry in entries() if entry.id == name), record)


def rows_of(chosen: list[Entry], record: Path | None, jobs: int) -> Iterator[Row]:
    """All of them, in processes of one thread each."""
    os.environ.update(environment(threads=1))
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(partial(by_id, record=record), [entry.id for entry in chosen])


def told(rows: Iterable[Row], n: int) -> Iterator[Row]:
    """The rows, with a line on the way where somebody looks on."""
    for done, row in enumerate(rows, 1):
        if sys.stderr.isatty():
            print(f"\r{done} of {n} {row.id:32}", end="\r" if done < n else "\n", file=sys.stderr, flush=True)
        yield row


def keep(rows: Iterable[Row], folder: Path) -> str:
    """Write down what was done to the runs, also to those before a Ctrl-C."""
    done: list[Row] = []
    try:
        done.extend(rows)
    finally:
        write_labels(folder, done)
    left = [row.id for row in done if not row.kept]
    return f"{len(done) - len(left)} runs in {folder}; left out: {', '.join(left) or 'none'}"


def listing(chosen: list[Entry]) -> str:
    """What there is, what counts as equal, and which second answers are legitimate."""
    lines = [f"{e.id:28}{e.half:12} {(e.fault.name if e.fault else '') + (', as a log' if e.log else '')}".rstrip()
             for e in chosen]  # fmt: skip
    lines += ["", f"{len(chosen)} runs; declared equal beforehand:"]
    lines += [f"    {done} may be called {said}: {why}" for (done, said), why in EQUAL.items()]
    lines += ["legitimate second answers, which do not count as right:"]
    second = {(e.cause, e.fault.name): e.fault.second for e in chosen if e.fault and e.fault.second}
    lines += [f"    {cause} ({name}): {', '.join(others)}" for (cause, name), others in second.items()]
    return "\n".join(lines)


def main() -> int:
    """Run."""
    parser = argparse.ArgumentParser(description="How often the doctor is right.")
    parser.add_argument("--half", choices=(*HALVES, BOTH), default=BOTH)
    parser.add_argument("--only", nargs="+", default=[], metavar="ID", help="runs, or causes")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--list", action="store_true", help="say which runs there are, and stop")
    parser.add_argument("--record", type=Path, metavar="DIR", help="keep the runs there instead of diagnosing them")
    parser.add_argument("--from", dest="source", type=Path, metavar="DIR", help="diagnose the runs kept there")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    given = parser.parse_args()

    def wanted(run: Entry | Row) -> bool:
        return given.half in (run.half, BOTH) and (not given.only or bool({run.id, run.cause} & set(given.only)))

    chosen = [entry for entry in entries() if wanted(entry)]
    if not chosen:
        parser.error(f"no run is called so: {', '.join(given.only)}")
    if given.list:
        print(listing(chosen))
        return 0
    if given.record:
        given.record.mkdir(parents=True, exist_ok=True)
        print(keep(told(rows_of(chosen, given.record, given.jobs), len(chosen)), given.record))
        return 0
    if given.source:
        kept = [(row, history) for row, history in read_runs(given.source) if wanted(row)]
        rows = [ask(row, history) if history is not None else row for row, history in kept]
    else:
        rows = list(told(rows_of(chosen, None, given.jobs), len(chosen)))
    scores = halves(rows)
    print("\n\n".join(table(name, s) for name, s in scores.items()))
    if given.json:
        about = {"seed": SEED, "data": available(), "half": given.half, "only": given.only}
        given.json.write_text(json.dumps({"about": about} | as_dict(scores, rows), indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
