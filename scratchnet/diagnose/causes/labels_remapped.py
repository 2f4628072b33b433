"""Validation that counts classes in another way than training."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import linear_sum_assignment

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError, known
from ..readings import accuracy, classes, g, held_out, held_out_facts, pc

GAIN = 0.1  # of accuracy or agreement by renaming classes: chance alone gives a few hundredths on a hundred samples
ERRORS = 4.0  # standard errors that the gain must have
FITTED = 0.5  # of the training samples right: below it, predictions say nothing on a class map
ABOVE = 1.1  # times ln C: a loss that is worse than knowing nothing at all
NEW = 0.15  # of accuracy: how far validation stays below the first epoch of training, in which every sample is new
UNLEARNED = 0.5  # of its best that a validation accuracy falls to while training reaches 0.9: memory does not unlearn
SURER = 1.3  # times its first, a validation loss in the end: what is called wrong grows sure
CHANCE = 0.03  # of the samples: below it, no ignorance is right so seldom
LITTLE = 0.35  # of the training accuracy: a validation accuracy below it, with that loss, is no overfitting

CAUSE = Cause(
    "labels-remapped",
    title="Validation has another class map",
    explanation="The class indices of the two splits were built separately, so that class 3 here is class 7 there. "
    "The network is right and counted as wrong; the loss, sure of what is called wrong, rises above ln C.",
    remedy="Build the map from names to indices once, from the training split, and use it for every split.",
    lesson="docs/doctor.md#labels-remapped",
    leads_to=("overfitting", "frozen-validation", "late-divergence"),
)


@CAUSE.check
def by_neighbours(history: History) -> Found | None:
    """The split's labels agree with its training neighbours only after its classes are renamed."""
    evidence, gains, asked = [], [], 0
    for facts in held_out_facts(history):
        a, after, n = facts.agreement, facts.relabelled, facts.agreed_on
        if a is None or after is None or not n:
            continue
        asked += 1
        if after - a > max(GAIN, ERRORS * math.sqrt(max(after * (1 - after), 1 / n) / n)):
            text = f"of {n} labels {pc(a)} agree with the nearest training sample's, {pc(after)} with classes renamed"
            evidence.append(Evidence(text, facts.split))
            gains.append(after - a)
    if not asked:
        raise NotKnownError("whether the splits' labels agree with their neighbours'")
    return Found(min(0.98, 0.8 + 0.5 * max(gains)), *evidence) if evidence else None


@CAUSE.check
def by_predictions(history: History) -> Found | None:
    """The predictions are right after the best one-to-one renaming of the true classes."""
    evidence, asked = [], 0
    train = [r for _, m in history.measured("train") if (r := accuracy(m)) is not None]
    if train and train[-1] < FITTED:
        raise NotKnownError("the predictions of a network that has learned")
    for name, told in held_out(history):
        matrix, facts = told[-1][1].matrix, history.data.get(name)
        if matrix is None or (facts is not None and facts.relabelled is not None):  # the labels themselves tell more
            continue
        asked += 1
        m = np.asarray(matrix, float)
        rows, columns = linear_sum_assignment(-m)
        before, after, n = np.trace(m) / m.sum(), m[rows, columns].sum() / m.sum(), m.sum()
        if after - before > max(2 * GAIN, ERRORS * math.sqrt(after * (1 - after) / n)) and after > FITTED:
            text = f"{pc(before)} of the answers are right, {pc(after)} once classes are renamed one to one"
            evidence.append(Evidence(text, f"{name}, epoch {told[-1][0]}"))
    if not asked:
        raise NotKnownError("a confusion matrix of validation or test")
    return Found(0.92, *evidence) if evidence else None


@CAUSE.check
def by_loss(history: History) -> Found | None:
    """A training set that is known, and a validation loss that is worse than ln C from beginning to end."""
    chance = math.log(max(classes(history), 2))
    train = known(history.measured("train") or None, "the training accuracy")[-1][1]
    fitted = known(accuracy(train), "the training accuracy")
    if fitted < FITTED:
        return None
    for name, told in held_out(history):
        losses = [m.loss for _, m in told if m.loss is not None]
        rate = accuracy(told[-1][1])
        if not losses or rate is None or (len(losses) > 1 and len(set(losses)) == 1):  # frozen: that tells nothing
            continue
        if name in history.data and history.data[name].relabelled is not None:  # the labels themselves tell more
            continue
        if min(losses) > ABOVE * chance and rate < LITTLE * fitted:
            text = f"the loss is never below {g(min(losses))}, above ln C = {g(chance)}; {pc(rate)} are right"
            where = f"epoch {told[-1][0]}"
            return Found(
                0.7, Evidence(text, f"{name}, {where}"), Evidence(f"{pc(fitted)} are right", f"train, {where}")
            )
    return None


@CAUSE.check
def by_the_first_epoch(history: History) -> Found | None:
    """In the first epoch every training sample is new to the network, so validation ought to do as well."""
    known(None if any(facts.relabelled is not None for facts in history.data.values()) else True, "")
    train = known(history.measured("train") or None, "the training accuracy")
    first, last = accuracy(train[0][1]), accuracy(train[-1][1])
    if train[0][0] != 1 or first is None or last is None:
        raise NotKnownError("the training accuracy of the first epoch")
    for name, told in held_out(history):
        rates = [r for _, m in told if (r := accuracy(m)) is not None]
        losses = [m.loss for _, m in told if m.loss is not None]
        if len(rates) < 2 or not losses or (losses[-1] < SURER * losses[0] and rates[-1] > CHANCE):
            continue  # a copy that stands still
        low = max(rates) < first - NEW and min(losses) > 2 * (train[0][1].loss or 0.0)
        halfway = next((e for e, m in train if (accuracy(m) or 0.0) >= FITTED), None)
        then = next((accuracy(m) for e, m in told if e == halfway), None)
        apart = then is not None and then < LITTLE * FITTED and max(rates) < LITTLE * last
        if not low and not apart and not (rates[-1] < UNLEARNED * max(rates) and last > 0.9):
            continue
        text = f"accuracy is never above {pc(max(rates))} and ends at {pc(rates[-1])}; the loss ends at {g(losses[-1])}"
        seen = f"{pc(first)} right in training when every sample was new, {pc(last)} in the end"
        return Found(0.8, Evidence(seen, "train, epoch 1"), Evidence(text, f"{name}, epoch {told[-1][0]}"))
    return None
