"""The kill matrix: every mistake of scratchnet's bug zoo, put to this project's checker and to others.

    python benchmarks/bug_zoo.py [--json FILE] [--markdown FILE] [--seeds N] [--only NAME]

Each checker gets the same pair of NumPy functions in float64, with its own defaults:

    scratchnet    scratchnet.check.check_gradients(forward, backward, inputs)
    torch         torch.autograd.gradcheck, slow mode: eps 1e-6, atol 1e-5, rtol 1e-3, nondet_tol 0
    torch fast    the same with fast_mode=True
    jax           jax.test_util.check_grads(order=1, modes=["rev"]), x64: eps 1e-4, atol and rtol 1e-5
    sum           the home-made test: central differences (h = 1e-5) of out.sum() against backward(ones),
                  np.allclose(rtol=1e-4, atol=1e-6), at most 200 coordinates an input

For torch the pair stands in a torch.autograd.Function that shares memory with NumPy, as one would write it; for jax in
a custom_vjp over pure_callback, whose arrays are copies, so that what a backward does to dout reaches nobody there.

A mistake counts as caught when the checker fails or raises in every seed; it is n/a, with the reason, where the checker
cannot take the case or where nothing goes wrong under the rules of its package. A right twin that fails or raises is a
false alarm: at a tie, for one, a central difference is no subgradient that a backward can choose. A package that is not
installed is NOT RUN, never a pass. The exit code is 1 when scratchnet passed a mistake or raised a false alarm. Times
are those of one check, forward and backward included; they say little on a busy machine.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import importlib.util
import json
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from scratchnet.check import Verdict, check_gradients
from scratchnet.check.zoo import SPECIES, Species

Pair = tuple[Callable[..., Any], Callable[..., Any]]
CAUGHT, PASSED, NOT_APPLICABLE, NOT_RUN = "caught", "PASSED", "n/a", "NOT RUN"
MOST_ENTRIES = 50_000_000  # of a Jacobian that a checker builds whole


@dataclass
class Cell:
    """What one checker said about one backward, over the seeds."""

    outcome: str = NOT_RUN
    caught: int = 0
    runs: int = 0
    why: str = ""
    kinds: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


@dataclass
class Row:
    """A mutant, or a right twin (then `expected` is empty), and what the checkers said."""

    family: str
    species: str
    name: str
    right: bool
    expected: list[str]
    what: str
    seen: str
    cells: dict[str, Cell]


EXCUSES: tuple[tuple[str, Callable[[set[str]], bool], str], ...] = (
    (
        "torch",
        lambda kinds: "protocol" in kinds,
        "autograd sums a gradient to its input's shape, so that it comes out right",
    ),
    ("torch", lambda kinds: kinds == {"aliasing"}, "a Function may return a view of its cotangent"),
    ("jax", lambda kinds: kinds <= {"mutation", "aliasing"}, "jax's arrays cannot be changed, and its wrapper copies"),
)
"""(package, of what kinds, why a mistake that it passes is none there)."""


class NotApplicable(Exception):  # noqa: N818  (an outcome, not a mistake)
    """This checker cannot take this case; the message says why."""


def floats(inputs: Mapping[str, Any]) -> list[str]:
    """The names of the inputs that have a gradient."""
    return [name for name, value in inputs.items() if isinstance(value, np.ndarray) and value.dtype.kind == "f"]


def copies(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs, so that nobody sees what another did to them."""
    return {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in inputs.items()}


def by_scratchnet(pair: Pair, inputs: dict[str, Any]) -> tuple[str, list[str]]:
    """(why it fails or "", the kinds of mistake that it names)."""
    report = check_gradients(*pair, inputs)
    return ("FAIL", report.kinds) if report.verdict is Verdict.FAIL else ("", [])


def by_torch(pair: Pair, inputs: dict[str, Any], fast: bool = False) -> tuple[str, list[str]]:
    """torch.autograd.gradcheck around a Function."""
    torch: Any = importlib.import_module("torch")
    torch.set_num_threads(1)
    forward, backward = pair
    names = floats(inputs)
    entries = sum(inputs[name].size for name in names) * np.size(forward(*copies(inputs).values())[0])
    if not fast and entries > MOST_ENTRIES:
        raise NotApplicable(f"slow mode builds the whole Jacobian, {entries:.0e} entries")

    class Function(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, *tensors: Any) -> Any:
            given = inputs | {name: t.detach().numpy() for name, t in zip(names, tensors, strict=True)}
            out, ctx.cache = forward(*given.values())
            return torch.from_numpy(np.array(out, dtype=np.float64))

        @staticmethod
        def backward(ctx: Any, dout: Any) -> Any:
            found = backward(dout.numpy(), ctx.cache)
            return tuple(None if g is None else torch.from_numpy(np.asarray(g)) for g in found)

    tensors = [torch.from_numpy(inputs[name]).requires_grad_() for name in names]
    torch.autograd.gradcheck(Function.apply, tensors, fast_mode=fast)
    return "", []


def by_torch_fast(pair: Pair, inputs: dict[str, Any]) -> tuple[str, list[str]]:
    """gradcheck in fast mode."""
    return by_torch(pair, inputs, fast=True)


def by_jax(pair: Pair, inputs: dict[str, Any]) -> tuple[str, list[str]]:
    """jax.test_util.check_grads around a custom_vjp; caches stay on this side and go by a number."""
    jax: Any = importlib.import_module("jax")
    check_grads = importlib.import_module("jax.test_util").check_grads
    jax.config.update("jax_enable_x64", True)
    forward, backward = pair
    names, kept = floats(inputs), []

    def run(*arrays: Any) -> tuple[Any, Any]:
        given = inputs | {name: np.array(a) for name, a in zip(names, arrays, strict=True)}
        out, cache = forward(*given.values())
        kept.append(cache)
        return np.array(out), np.int32(len(kept) - 1)

    def back(number: Any, dout: Any) -> Any:
        return tuple(np.asarray(g) for g in backward(np.array(dout), kept[int(number)]))

    out = run(*(inputs[name] for name in names))[0]
    results = jax.ShapeDtypeStruct(out.shape, np.float64), jax.ShapeDtypeStruct((), np.int32)
    shapes = tuple(jax.ShapeDtypeStruct(inputs[name].shape, np.float64) for name in names)

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def function(*arrays: Any) -> Any:
        return jax.pure_callback(run, results, *arrays)[0]

    function.defvjp(
        lambda *arrays: jax.pure_callback(run, results, *arrays),
        lambda number, dout: jax.pure_callback(back, shapes, number, dout),
    )
    check_grads(function, [jax.numpy.asarray(inputs[name]) for name in names], 1, modes=["rev"])
    return "", []


def by_sum(pair: Pair, inputs: dict[str, Any]) -> tuple[str, list[str]]:
    """Central differences of out.sum(), as many a test has them."""
    forward, backward = pair
    names, rng, h = floats(inputs), np.random.default_rng(0), 1e-5
    out, cache = forward(*copies(inputs).values())
    gradients = backward(np.ones_like(out), cache)
    for name, gradient in zip(names, gradients, strict=True):
        x, flat = inputs[name], np.asarray(gradient, dtype=float).reshape(inputs[name].shape).reshape(-1)
        chosen = range(x.size) if x.size <= 200 else rng.choice(x.size, 200, replace=False)
        for i in chosen:
            moved = []
            for step in (h, -h):
                there = copies(inputs)
                there[name].reshape(-1)[i] += step
                moved.append(forward(*there.values())[0].sum())
            if not np.allclose(flat[i], (moved[0] - moved[1]) / (2 * h), rtol=1e-4, atol=1e-6):
                return f"d{name} is wrong", []
    return "", []


CHECKERS: dict[str, tuple[str, Callable[[Pair, dict[str, Any]], tuple[str, list[str]]]]] = {
    "scratchnet": ("scratchnet", by_scratchnet),
    "torch": ("torch", by_torch),
    "torch fast": ("torch", by_torch_fast),
    "jax": ("jax", by_jax),
    "sum": ("numpy", by_sum),
}


def judge(checker: str, pair: Pair, species: Species, kinds: set[str], seeds: int) -> Cell:
    """Put a pair to a checker once a seed; `kinds` of the mistake, none for a right twin."""
    package, check = CHECKERS[checker]
    cell = Cell()
    if importlib.util.find_spec(package) is None:
        cell.why = f"{package} is not installed"
        return cell
    for seed in range(seeds):
        inputs = copies(species.inputs(np.random.default_rng(seed)))
        began = time.perf_counter()
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                why, told = check(pair, inputs)
        except NotApplicable as reason:
            cell.outcome, cell.why = NOT_APPLICABLE, str(reason)
            return cell
        except Exception as error:  # a checker says no by raising, and so does what cannot be put to it
            why, told = f"{type(error).__name__}: {error}", []
        cell.seconds.append(time.perf_counter() - began)
        cell.runs, cell.caught = cell.runs + 1, cell.caught + bool(why and not why.startswith("not exercised"))
        cell.why, cell.kinds = cell.why or why.strip().split("\n")[0][:160], cell.kinds or told
    cell.outcome = CAUGHT if cell.caught == cell.runs else PASSED
    for excused, applies, excuse in EXCUSES if kinds and cell.outcome == PASSED else ():
        if excused == package and applies(kinds):
            cell.outcome, cell.why = NOT_APPLICABLE, excuse
    return cell


def run(seeds: int, only: str | None, say: Callable[[str], None]) -> list[Row]:
    """All rows, right twins first in each species."""
    rows = []
    for species in SPECIES.values():
        rights = [("", species.backward, "the right backward"), *((t.name, t.backward, t.what) for t in species.twins)]
        cases = [Row(species.family, species.name, name, True, [], what, "", {}) for name, _, what in rights]
        backwards = [backward for _, backward, _ in rights] + [m.backward for m in species.mutants]
        cases += [
            Row(species.family, species.name, m.name, False, list(m.kinds), m.what, m.seen, {}) for m in species.mutants
        ]
        for row, backward in zip(cases, backwards, strict=True):
            if only is None or only in (row.family, row.species, row.name):
                pair = (species.forward, backward)
                row.cells = {c: judge(c, pair, species, set(row.expected), seeds) for c in CHECKERS}
                rows.append(row)
                say(f"{row.species} / {row.name or 'right'}: " + ", ".join(_cell(row, c) for c in CHECKERS))
    return rows


def _cell(row: Row, checker: str) -> str:
    """The outcome in a word: for a right twin "ok" or "ALARM"."""
    cell = row.cells[checker]
    if cell.outcome in (NOT_APPLICABLE, NOT_RUN):
        return cell.outcome
    if row.right:
        return "ok" if not cell.caught and not cell.why else "**ALARM**"
    part = f" {cell.runs - cell.caught}/{cell.runs}" if 0 < cell.caught < cell.runs else ""
    return cell.outcome if cell.outcome == CAUGHT else f"**{PASSED}{part}**"


def summary(rows: list[Row]) -> dict[str, dict[str, Any]]:
    """For each checker: caught, passed, not applicable, not run, false alarms, median seconds; named kinds."""
    table: dict[str, dict[str, Any]] = {}
    for checker in CHECKERS:
        wrong, twins = [r for r in rows if not r.right], [r for r in rows if r.right]
        counts = Counter(row.cells[checker].outcome for row in wrong)
        seconds = [s for row in rows for s in row.cells[checker].seconds]
        table[checker] = {
            "mutants": len(wrong),
            "caught": counts[CAUGHT],
            "passed": [f"{r.species} / {r.name}" for r in wrong if r.cells[checker].outcome == PASSED],
            "not_applicable": counts[NOT_APPLICABLE],
            "not_run": counts[NOT_RUN],
            "right_twins": len(twins),
            "false_alarms": [f"{r.species} / {r.name or 'right'}" for r in twins if _cell(r, checker) == "**ALARM**"],
            "median_seconds": statistics.median(seconds) if seconds else None,
        }
    ours = [row for row in rows if not row.right and row.cells["scratchnet"].outcome == CAUGHT]
    table["scratchnet"]["named"] = sum(r.cells["scratchnet"].kinds[:1] in [[kind] for kind in r.expected] for r in ours)
    table["scratchnet"]["named_first"] = sum(r.cells["scratchnet"].kinds[:1] == [r.expected[0]] for r in ours)
    return table


def versions() -> dict[str, str]:
    """Of everything that is compared."""
    found = {"python": sys.version.split()[0]}
    for package in ("scratchnet", "numpy", "torch", "jax"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = NOT_RUN
    return found


def markdown(rows: list[Row], seeds: int) -> str:
    """The summary, what passed where, and the whole matrix."""
    table, names = summary(rows), list(CHECKERS)
    told = ", ".join(f"{package} {version}" for package, version in versions().items())
    lines = ["# Bug zoo: the kill matrix", "", "Written by `python benchmarks/bug_zoo.py --markdown docs/bug_zoo.md`,"]
    lines += ["which says how each checker is asked. What each mistake is, and where one like it was seen, stands in"]
    lines += ["`scratchnet/check/zoo/`.", "", f"{told}; {seeds} seed(s).", ""]
    lines += [
        "| checker | caught | passed | n/a | not run | false alarms | median ms |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, facts in table.items():
        median = "" if facts["median_seconds"] is None else f"{1000 * facts['median_seconds']:.1f}"
        tail = f"{len(facts['false_alarms'])} of {facts['right_twins']} | {median}"
        passed = f"{facts['caught']} of {facts['mutants']} | {len(facts['passed'])}"
        lines.append(f"| {name} | {passed} | {facts['not_applicable']} | {facts['not_run']} | {tail} |")
    ours = table["scratchnet"]
    lines += [
        "",
        f"The kind of mistake named first is an accepted one for {ours['named']} of the {ours['caught']} "
        f"that it caught, and the best one for {ours['named_first']}.",
    ]
    for name, facts in table.items():
        for title in ("passed", "false_alarms"):
            if facts[title]:
                lines += ["", f"{name}, {title.replace('_', ' ')}: " + "; ".join(facts[title]) + "."]
    lines += ["", f"| family | species / mistake | {' | '.join(names)} | expected | scratchnet names |"]
    lines.append("|---" * (len(names) + 4) + "|")
    for row in rows:
        cells = " | ".join(_cell(row, name) for name in names)
        kinds = ", ".join(dict.fromkeys(row.cells["scratchnet"].kinds))
        title = f"{row.species} / {row.name or '(right)'}".replace("|", "\\|")
        lines.append(f"| {row.family} | {title} | {cells} | {', '.join(row.expected)} | {kinds} |")
    reasons = {f"{c}: {r.cells[c].why}" for r in rows for c in names if r.cells[c].outcome in (NOT_APPLICABLE, NOT_RUN)}
    lines += ["", *sorted(f"- {reason}" for reason in reasons)] if reasons else []
    return "\n".join(lines) + "\n"


def write(path: str, text: str) -> None:
    """The whole file or none of it."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def main() -> int:
    """Run, write, print the summary; 1 when scratchnet passed a mistake or raised a false alarm."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", metavar="FILE", help="write everything as JSON")
    parser.add_argument("--markdown", metavar="FILE", help="write the matrix as markdown")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="draws of the inputs (default 1)")
    parser.add_argument("--only", metavar="NAME", help="a family, a species or a mistake")
    parser.add_argument("--quiet", action="store_true", help="no line for each case")
    options = parser.parse_args()
    if options.seeds < 1:
        parser.error("--seeds is at least 1")
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    rows = run(
        options.seeds, options.only, (lambda line: None) if options.quiet else lambda line: print(line, flush=True)
    )
    if not rows:
        parser.error(f"nothing in the zoo is called {options.only!r}")
    table, text = summary(rows), markdown(rows, options.seeds)
    if options.json:
        everything = {
            "versions": versions(),
            "seeds": options.seeds,
            "summary": table,
            "rows": [asdict(r) for r in rows],
        }
        write(options.json, json.dumps(everything, indent=1, ensure_ascii=False) + "\n")
    if options.markdown:
        write(options.markdown, text)
    print("\n" + text.split("\n| family |")[0].strip())
    return 1 if table["scratchnet"]["passed"] or table["scratchnet"]["false_alarms"] else 0


if __name__ == "__main__":
    sys.exit(main())
