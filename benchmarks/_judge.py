"""Judging a mutant of a backward op by the checks of scratchnet.check alone: no second implementation is asked.

Each mutant is installed and judged in a forked child, so that whatever it does ends with it.
"""

from __future__ import annotations

import ast
import inspect
import json
import os
import resource
import select
import signal
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
from _mutation import FOLDER, Mutant, reached

import scratchnet.layers
import scratchnet.losses  # noqa: F401  (both fill their registry)
from scratchnet.check import CheckError, Report, check_contract, check_layer_gradients, check_loss, ladder
from scratchnet.check import Verdict as Outcome
from scratchnet.check.layers import FLOATS
from scratchnet.core import LAYERS, LOSSES, Network
from scratchnet.core.case import Case, RandomDraw
from scratchnet_kernels import OPS, get_backend
from scratchnet_kernels.backend import KERNELS

DRAWS, DRAWS_AROUND, SCOUTS = 40, 4, 8
"""Cases of the layers that call an op directly; of those whose plan has further ops around it; to find both."""

LIMIT = 20.0
"""Seconds for one case, in which the slowest takes half a second: a mutant that needs more loops for ever."""

MEMORY = 8 * 2**30
"""Bytes of address space that a child may have."""


@dataclass(frozen=True)
class Trial:
    """One case of a layer, in one mode, or of a loss."""

    kind: str
    name: str
    seed: int
    training: bool = True
    breadth: int = 1

    def __str__(self) -> str:
        mode = "" if self.kind == "loss" else f", training={self.training}"
        return f"{self.name}, seed {self.seed}{mode}"


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: by "gradient", "contract", "raises", "time" or "death"; "" if it survived."""

    mutant: Mutant
    by: str
    message: str
    trials: int
    seconds: float


def check(trial: Trial) -> Iterator[tuple[str, Any]]:
    """(which check, what it says) for a case. The one place that knows scratchnet.check."""
    seed, batch = trial.seed, 2 + trial.seed % 3
    draw = RandomDraw(np.random.default_rng([seed, 19]))
    if trial.kind == "loss":
        yield "gradient", lambda: check_loss(LOSSES[trial.name].cases(draw), seed, rungs=FLOATS)
        return
    case = LAYERS[trial.name].cases(draw)
    for rung in FLOATS:  # one after the other: most mutants fall to the first
        yield "gradient", partial(check_layer_gradients, case, seed, batch=batch, training=trial.training, rungs=[rung])
    yield "contract", lambda: check_contract(case, seed, batch=batch, training=trial.training)


@cache
def trials(ops: tuple[str, ...], seed: int) -> list[Trial]:
    """The cases whose plans call one of the ops: the first cases of every layer first."""
    found: dict[str, list[Trial]] = {}
    for draws in (SCOUTS, DRAWS):  # layers that call it in none of the first cases are looked at if no other does
        callers = [*found] or [*LAYERS, *LOSSES]
        drawn = {name: [pair for number in range(draws) for pair in _draw(name, seed, number)] for name in callers}
        found = {name: [t for t, called in pairs if called & {*ops}] for name, pairs in drawn.items()}
        found = {name: mine for name, mine in found.items() if mine}
    breadth = {name: min(trial.breadth for trial in mine) for name, mine in found.items()}
    narrowest = min(breadth.values(), default=0)
    kept = [
        (i, trial)
        for name, mine in found.items()
        for i, trial in enumerate(mine)
        if i // 2 < (DRAWS if breadth[name] == narrowest else DRAWS_AROUND)
    ]
    return [trial for _, trial in sorted(kept, key=lambda pair: (pair[0] // 2, breadth[pair[1].name], pair[1].name))]


@cache
def _draw(name: str, seed: int, number: int) -> tuple[tuple[Trial, frozenset[str]], ...]:
    """A case of a layer in both modes, or of a loss, each with the backward ops that it calls."""
    own = seed * 1000 + number
    if name in LOSSES:
        source = ast.parse(inspect.getsource(LOSSES[name]))
        called = frozenset(n.attr for n in ast.walk(source) if isinstance(n, ast.Attribute) and n.attr in OPS)
        return ((Trial("loss", name, own), called),)
    case, pairs = LAYERS[name].cases(RandomDraw(np.random.default_rng([own, 19]))), []
    for training in (True, False):
        called = _called(case, training)
        pairs.append((Trial("layer", name, own, training, len(called)), called))
    return tuple(pairs)


def _called(case: Case, training: bool) -> frozenset[str]:
    net = Network([case.layer], case.in_shape, backend="reference", dtype="float64")
    side: dict[str, Any] = {name: np.zeros((2, *shape)) for name, shape in case.side.items()}
    side |= {name: np.ones((2, *shape), bool) for name, shape in case.masks.items()}
    plan = net.record(2, training=training, need_dx=case.values != "index", **side)
    return frozenset(call.op for call in plan.backward)


def install(mutant: Mutant) -> None:
    """Give every op that reaches the changed function copies of what it reaches, with the change among them."""
    for op in mutant.ops:
        OPS[op] = replace(OPS[op], reference=_changed(op, mutant))


def _changed(op: str, mutant: Mutant) -> FunctionType:
    functions = reached(op)
    spaces = {function.__module__: dict(vars(sys.modules[function.__module__])) for function in functions}
    copies: dict[Any, FunctionType] = {}
    for function in functions:
        file, space = Path(inspect.getfile(function)).resolve(), spaces[function.__module__]
        if file.parent != FOLDER:
            raise PermissionError(f"only functions of {FOLDER} are mutated, this one is in {file}")
        if (file.name, function.__name__) == (mutant.file, mutant.function):
            future = ast.parse("from __future__ import annotations").body
            exec(compile(ast.Module([*future, mutant.tree()], []), str(file), "exec"), space)
            copies[function] = space[function.__name__]
        else:
            copies[function] = FunctionType(function.__code__, space, function.__name__, function.__defaults__)
    for space in spaces.values():
        space.update({name: copies[v] for name, v in space.items() if isinstance(v, FunctionType) and v in copies})
    return copies[functions[0]]


def judge(mutants: Iterable[Mutant], seed: int, jobs: int, most: int) -> Iterator[Verdict]:
    """The verdict on each mutant, as they come in, after `most` cases at the most; `jobs` children at a time."""
    get_backend("cpu")
    KERNELS["cpu"].clear()  # what asks for the cpu backend meets the reference
    waiting = iter(mutants)
    running: dict[int, tuple[int, Mutant, float]] = {}
    while True:
        while len(running) < jobs and (mutant := next(waiting, None)) is not None:
            chosen = trials(mutant.ops, seed)[:most]
            pid, pipe = _fork(mutant, chosen)
            running[pipe] = pid, mutant, time.perf_counter()
        if not running:
            return
        for pipe in select.select([*running], [], [])[0]:
            pid, mutant, start = running.pop(pipe)
            with os.fdopen(pipe) as stream:
                said = stream.read()
            _, status = os.waitpid(pid, 0)
            seconds = time.perf_counter() - start
            if os.WIFSIGNALED(status):
                number = os.WTERMSIG(status)
                by, message, count = ("time" if number == signal.SIGALRM else "death"), f"signal {number}", 0
            else:
                by, message, count = json.loads(said)
            yield Verdict(mutant, by, message, count, seconds)


def _fork(mutant: Mutant, chosen: list[Trial]) -> tuple[int, int]:
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads: BLAS's own, which survive a fork by design
        pid = os.fork()
    if pid:
        os.close(write)
        return pid, read
    try:  # in the child, which never returns
        os.close(read)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1), os.dup2(nowhere, 2)  # LAPACK prints what it thinks of a NaN
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        os.write(write, json.dumps(_try(mutant, chosen)).encode())
    except BaseException as error:
        os.write(write, json.dumps(("death", repr(error)[:2000], 0)).encode())
    finally:
        os._exit(0)


def _try(mutant: Mutant, chosen: list[Trial]) -> tuple[str, str, int]:
    """(by which check, its message, after how many cases)."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    vars(ladder).update(SURVEY=0, explain=lambda _: [])  # to say what is wrong takes longer than to see that it is
    install(mutant)
    for count, trial in enumerate(chosen, 1):
        signal.setitimer(signal.ITIMER_REAL, LIMIT)
        for by, run in check(trial):
            try:
                result = run()
            except CheckError as error:
                return by, f"{trial}: {error}"[:2000], count
            except Exception as error:
                return "raises", f"{trial}: {type(error).__name__}: {error}"[:2000], count
            if isinstance(result, Report) and result.verdict is Outcome.FAIL:
                by = by if any(finding.verdict is Outcome.FAIL for finding in result.findings) else "contract"
                return by, f"{trial}: {result}"[:2000], count
    signal.setitimer(signal.ITIMER_REAL, 0)
    return "", "", len(chosen)
