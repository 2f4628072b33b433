"""The runs of the doctor's benchmark: which there are, in which half they lie, and how one is drawn and verified."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import import_module

from _doctor_base import draw_base, recipe_rng
from _doctor_healthy import draw_healthy
from _doctor_loop import run
from _doctor_outcome import Outcome
from _doctor_rules import FAULTS, Fault, healthy
from _doctor_setup import Setup

for _part in ("data", "start", "units", "loss", "steps", "course", "record"):
    import_module(f"_doctor_faults_{_part}")  # each enters its faults

SEED = 61
PER_CAUSE, HEALTHY = 8, 240
TRIES = 25  # draws before a run is given up and left out
HEALTH = "healthy"
DEVELOPMENT, HELD_OUT = HALVES = "development", "held-out"


@dataclass(frozen=True)
class Entry:
    """One run of the suite. `fault` is None for a healthy one; `log`: recorded as a log of epochs alone."""

    id: str
    cause: str
    index: int
    half: str
    fault: Fault | None
    log: bool


@dataclass
class Made:
    """A run that keeps its rule: what was done, how it went, how many draws it took."""

    entry: Entry
    what: str
    outcome: Outcome
    tries: int


def entries() -> list[Entry]:
    """All runs, causes in alphabetical order, the healthy ones last."""
    found = []
    for cause in (*sorted(FAULTS), HEALTH):
        n = HEALTHY if cause == HEALTH else PER_CAUSE
        faults: list[Fault | None] = [*FAULTS.get(cause, [None])]
        order = sorted(range(n), key=lambda index: (index % len(faults), _hash(cause, index)))
        for index in range(n):
            half = HALVES[(order.index(index) + _hash(cause, -1)[0]) % 2]
            fault = faults[index % len(faults)]
            log = index % 10 == 9 if fault is None else fault.log and index // len(faults) % 2 == 1
            found.append(Entry(f"{cause}-{index}", cause, index, half, fault, log))
    return found


def _hash(cause: str, index: int) -> bytes:
    """By which runs of a cause and a fault lie in one half or the other."""
    return hashlib.sha256(f"{SEED} {cause} {index}".encode()).digest()


def make(entry: Entry) -> Made | None:
    """Draw, run and verify; None where no draw in `TRIES` kept the rule."""
    for attempt in range(TRIES):
        rng = recipe_rng(SEED, entry.cause, entry.index, attempt)
        setup = draw_healthy(rng) if entry.fault is None else draw_base(rng, entry.fault.wants)
        base: Outcome | None = None
        if entry.fault is not None:
            base = run(setup)
            if not healthy(base, setup):
                continue
            setup = setup.copy()
            if words := entry.fault.apply(setup, rng):
                setup.what.append(words)
        setup.log_only = entry.log
        outcome = run(setup, watched=True)
        if healthy(outcome, setup) if entry.fault is None else entry.fault.rule(base or outcome, outcome, setup):
            return Made(entry, _words(entry, setup), outcome, attempt + 1)
    return None


def _words(entry: Entry, setup: Setup) -> str:
    """What was done, for people; the doctor never sees it."""
    fault = f"{entry.fault.name}: " if entry.fault else ""
    return f"{fault}{', '.join(filter(None, setup.what))} [{setup.name}]" + (" as a log" if entry.log else "")
