"""A short stretch of a run, made again from its recipe: the plain loop, without monitors, for so many steps."""

from __future__ import annotations

import math
import time
from itertools import count, islice

from scratchnet.core.errors import ScratchnetError
from scratchnet.core.network import Network
from scratchnet.data import Split
from scratchnet.train.fit import evaluate
from scratchnet.train.interrupt import CtrlC
from scratchnet.train.recipe import Recipe
from scratchnet.train.watch.measures.outputs import classes_of

from .proof import Outcome

EVALUATED = 10_000  # samples that an outcome is measured on


def rerun(recipe: Recipe, steps: int, *, deadline: float = math.inf, ctrl_c: CtrlC) -> Outcome:
    """Train a fresh network for `steps` steps and measure it.

    Ends early, and says so, where the loss is no longer finite, where the recipe cannot be followed, and at `deadline`
    (of time.perf_counter). Raises KeyboardInterrupt where `ctrl_c` was pressed.
    """
    began, ended, cut, done = time.perf_counter(), "", False, 0
    try:
        net = recipe.network()
    except ScratchnetError as error:
        return Outcome(0, 0.0, held_out(recipe).name, 0, ended=f"cannot be built: {error.what}", cut=True)
    optimizer, loss, schedule = recipe.optimizer, recipe.loss, recipe.schedule
    try:
        batches = recipe.batches(recipe.train)
        every = (batch for epoch in count(1) for batch in batches.epoch(epoch))
        for x, y in ctrl_c.between(islice(every, steps)):
            lr = optimizer.lr if schedule is None else schedule(done)
            logits, tape = net.forward(x, training=True)
            value, dlogits = loss(logits, y, tape)
            if not math.isfinite(value):
                ended = f"the loss is no longer finite at step {done + 1}"
                break
            net.zero_grad()
            net.backward(dlogits, tape)
            optimizer.step(net, lr=lr)
            done += 1
            if time.perf_counter() > deadline:
                ended, cut = f"out of time after {done:,} steps", done < steps
                break
    except ScratchnetError as error:
        ended = f"cannot be trained: {error.what}"
    seconds = time.perf_counter() - began
    return _measured(net, recipe, Outcome(done, seconds, "", 0, ended=ended, cut=cut))


def held_out(recipe: Recipe) -> Split:
    """What outcomes are measured on: validation, else test, else the training data, the first 10,000 samples."""
    split = recipe.val or recipe.test or recipe.train
    return Split(split.name, split.x[:EVALUATED], split.y[:EVALUATED])


def _measured(net: Network, recipe: Recipe, outcome: Outcome) -> Outcome:
    split = held_out(recipe)
    classes = classes_of(recipe.loss, net.output_shape)
    known = vars(outcome) | {"split": split.name, "total": len(split), "chance": 1 / classes if classes else None}
    try:
        told = evaluate(net, recipe.loss, recipe.batches(split)).measured
    except ScratchnetError as error:
        return Outcome(**known | {"ended": outcome.ended or f"cannot be measured: {error.what}"})
    return Outcome(**known | {"accuracy": told.accuracy, "loss": told.loss})
