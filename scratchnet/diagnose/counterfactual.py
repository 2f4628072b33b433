"""Proof by experiment: a short stretch of the run again, with one thing changed for each leading suspect.

    diagnosis = prove(diagnose(history), recipe)
    show(diagnosis)           # "inputs / 255 at the same LR: 82.9 %, as it was: 11.3 %"

How the outcome enters the ranking. Let g be what the best cure of a suspect gained over the unchanged run (0 if it is
no gain beyond chance), G the most that any cure gained, and s how sure the records alone were.

    lowered    s·(1 − ½·(1 − g/G)·q)    a cure that gains nothing halves its suspect, half a cure takes a quarter
    raised     s + ½·(1 − s)            for suspects whose cure is better than that of every other, beyond chance

q is the share of the run's steps that were made again: failing in a tenth of the time says a tenth. Where nothing
gained, all that were tried are lowered. A suspect without a cure that can be tried stays as sure as it was. All runs
have the same seed and as many steps; one that was cut off by the clock tells nothing. After that the findings are
ranked as always: a cause that has become too doubtful no longer explains a consequence whose own cure did better.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace

import numpy as np

from scratchnet.core.errors import ConfigError
from scratchnet.train.interrupt import CtrlC
from scratchnet.train.recipe import Recipe
from scratchnet.train.shown.console import Report
from scratchnet.train.shown.progress import on_terminal

from .cause import Evidence, Found
from .diagnosis import Diagnosis, arranged
from .interventions import GUESSES, Change, changes
from .proof import Outcome, Proof, Trial
from .rerun import rerun

SUSPECTS = 4  # that are tried: the first ones for which there is something to change
WARM = 3  # steps before the clock counts: kernels are compiled in them
PACE = 20  # steps by which the pace is told
CAREFUL = 0.8  # of the time is planned for: a changed network may be slower


def prove(
    diagnosis: Diagnosis,
    recipe: Recipe | Callable[[], Recipe],
    *,
    budget: float = 45.0,
    steps: int | None = None,
    report: Report | None = None,
) -> Diagnosis:
    """The diagnosis after its leading suspects were put to the test. Ctrl-C ends the trials; what is known stays.

    Args:
        recipe: what the run was made of, or a function that makes it.
        budget: seconds, compilation apart. The stretch is as long as fits into it, at most the run itself.
        steps: the length of the stretch, if it is not to be chosen.
        report: where it is said what is being tried, on a terminal.

    Raises ConfigError: budget or steps are not above 0, or there is no recipe; KeyboardInterrupt: Ctrl-C before
    anything was known.
    """
    recipe = recipe if isinstance(recipe, Recipe) or not callable(recipe) else recipe()
    if not isinstance(recipe, Recipe):
        raise ConfigError("a run is made again from a Recipe", expected="Recipe", actual=type(recipe).__name__)
    if not budget > 0 or (steps is not None and steps < 1):
        raise ConfigError("trials need time", expected="budget > 0, steps >= 1", actual=(budget, steps))
    planned = plan(diagnosis, recipe)
    if not planned:
        return diagnosis
    with np.errstate(over="ignore", invalid="ignore"):
        proof = _try(planned, recipe, budget, steps, report)
    return judged(diagnosis, proof)


@dataclass(frozen=True)
class Planned:
    """A change, and the causes that it would cure."""

    change: Change
    causes: tuple[str, ...]


def plan(diagnosis: Diagnosis, recipe: Recipe) -> list[Planned]:
    """What is to be tried, the first suspect's first; a change that several would be cured by is made once."""
    suspects = [id for id in diagnosis.order if changes(id, recipe)][:SUSPECTS]
    guesses = [guess for id in suspects for guess in GUESSES.get(id, ()) if guess not in suspects]
    found: dict[str, Planned] = {}
    for id in suspects + guesses:
        for change in changes(id, recipe):
            before = found[change.text].causes if change.text in found else ()
            found[change.text] = Planned(change, before + ((id,) if id in suspects else ()))
    return list(found.values())


def _try(planned: list[Planned], recipe: Recipe, budget: float, steps: int | None, report: Report | None) -> Proof:
    """The baseline and the trials, as far as time and patience last; KeyboardInterrupt before the baseline is known."""
    whole, began = _steps(recipe), time.perf_counter()
    todo = [Planned(Change("as it was", recipe), ()), *planned]
    done: list[Outcome] = []
    with CtrlC() as ctrl_c, suppress(KeyboardInterrupt):
        if steps is None:
            rerun(recipe, min(WARM, whole), ctrl_c=ctrl_c)
            began = time.perf_counter()
            steps = _affordable(recipe, whole, budget / len(todo), ctrl_c)
        for one in todo:
            if time.perf_counter() - began > budget:
                break
            with _telling(report, one.change.text):
                done.append(rerun(one.change.recipe, steps, deadline=began + budget, ctrl_c=ctrl_c))
    if not done or steps is None:
        raise KeyboardInterrupt  # nothing is known that could be kept
    trials = tuple(Trial(p.change.text, p.causes, o) for p, o in zip(planned, done[1:], strict=False))
    missing = tuple(p.change.text for p in planned[len(trials) :])
    return Proof(done[0], trials, steps, whole, time.perf_counter() - began, missing, ctrl_c.heard)


def _telling(report: Report | None, text: str) -> AbstractContextManager[object]:
    if report is None or report.quiet or not on_terminal(report.console):
        return nullcontext()
    return report.console.status(f"trying: {text}")


def _steps(recipe: Recipe) -> int:
    """Of the whole run; of one that has no batch in an epoch, those that it should have had."""
    n, size = len(recipe.train), recipe.batch_size
    return recipe.epochs * max(1, n // size if recipe.drop_last else math.ceil(n / size))


def _affordable(recipe: Recipe, whole: int, seconds: float, ctrl_c: CtrlC) -> int:
    """Steps that one trial has time for, its measurement taken off."""
    began = time.perf_counter()
    paced = rerun(recipe, min(PACE, whole), ctrl_c=ctrl_c)
    measuring = time.perf_counter() - began - paced.seconds
    each = paced.seconds / max(1, paced.steps)
    return max(1, min(whole, int(CAREFUL * (seconds - measuring) / max(each, 1e-9))))


def judged(diagnosis: Diagnosis, proof: Proof) -> Diagnosis:
    """The diagnosis with every suspect's certainty after the trials, by the rule above, and ranked again."""
    told = {finding.cause.id: finding.found for finding in diagnosis}
    best = proof.best()
    if best is not None and not proof.baseline.cut:
        most = _gained(proof, best)
        told = {id: _after(id, found, proof, most) for id, found in told.items()}
    findings, order = arranged(told)
    return replace(diagnosis, findings=findings, order=order, proof=proof)


def _after(id: str, found: Found, proof: Proof, most: float) -> Found:
    own = proof.best(id)
    if own is None:
        return found
    gained = _gained(proof, own)
    others = [trial for trial in proof.trials if id not in trial.causes and not trial.outcome.cut]
    sure = found.sure
    if gained and all(proof.clear(own.outcome, other.outcome) for other in others):
        sure += 0.5 * (1 - sure)
    else:
        sure *= 1 - 0.5 * (1 - (gained / most if most else 0.0)) * proof.steps / proof.whole
    rival = max(others, key=lambda trial: proof.gain(trial.outcome), default=None)
    texts = [f"{trial.text}: {trial.outcome.reached}" for trial in (own, rival) if trial is not None]
    text = "; ".join([*texts, f"as it was: {proof.baseline.reached}"])
    where = f"{proof.steps:,} steps, made again; {own.outcome.split}"
    return Found(sure, *found.evidence, Evidence(text, where))


def _gained(proof: Proof, trial: Trial) -> float:
    """The gain, where it is beyond chance."""
    return proof.gain(trial.outcome) if proof.clear(trial.outcome, proof.baseline) else 0.0
