"""Next to the edge of rules on data, labels and what is measured beside training."""

import math

from scratchnet.train.history.history import History
from scratchnet.train.history.records import Epoch, Measured

from .cases import not_there, there
from .runs import KNOWN, NOTHING, even, learns, run


@not_there("frozen-validation")
def nothing_left_to_learn():
    """A validation loss that rounds to 0, all samples right; dropout keeps the training loss above it."""
    return run(rates=(0.9, 0.95, 0.95, 0.95), of_val=[(0.0, 1.0)] * 4)


def log(train, val):
    """A file of epochs alone: (loss, accuracy) each."""
    history = History()
    for number, (ours, theirs) in enumerate(zip(train, val, strict=True), 1):
        splits = {name: Measured(loss=a, accuracy=b) for name, (a, b) in (("train", ours), ("val", theirs))}
        history.add(Epoch(epoch=number, splits=splits))
    return history


FITS = [(1.8, 0.4), (0.8, 0.75), (0.4, 0.88), (0.2, 0.95), (0.1, 0.98), (0.05, 0.99)]


@there("frozen-validation")
@not_there("labels-remapped", healthy=False)
def a_copy_with_moving_statistics():
    """The old weights, and batch statistics that are still taken in: 3 % up and down at the level of chance."""
    return log(FITS, [(2.95, 0.13), (3.03, 0.09), (3.0, 0.1), (2.98, 0.11), (3.02, 0.09), (3.0, 0.08)])


@not_there("frozen-validation", healthy=False)
def knows_by_heart():
    return log(FITS, [(2.3, 0.1), (2.5, 0.1), (3.0, 0.11), (3.6, 0.09), (4.2, 0.1), (5.0, 0.1)])


@there("labels-remapped")
def renamed_and_learned_slowly():
    """Half right in training, and hardly any at validation, whose loss only rises."""
    return log([(2.6, 0.18), (2.0, 0.32), (1.5, 0.52), (0.9, 0.7), (0.5, 0.84)],
               [(2.6, 0.14), (3.3, 0.17), (3.6, 0.14), (4.4, 0.1), (5.2, 0.12)])  # fmt: skip


@there("overfitting")
def few_samples():
    """Half as well on others when half was right in training: they are called by their names, but not known."""
    return log([(2.6, 0.18), (1.4, 0.54), (0.5, 0.9), (0.1, 0.99), (0.05, 1.0)],
               [(2.4, 0.2), (1.9, 0.35), (2.1, 0.42), (2.8, 0.43), (3.2, 0.42)])  # fmt: skip


@not_there("overfitting")
def a_gap_of_few_samples():
    """100 % against 85.7 % of 140: two standard errors from what small sets have."""
    history = run(lambda s: learns(s) * math.exp(-s / 150), val={"samples": 140, "class_counts": even(140)},
                  rates=(0.8, 0.95, 1.0, 1.0, 1.0),
                  of_val=[(0.4, 0.8), (0.3, 0.87), (0.5, 0.86), (0.52, 0.857), (0.52, 0.857)])  # fmt: skip
    return history


SKEWED, SKEWED_VAL = (5800, *[67] * 9), (900, 6, *[0] * 8)


def six_rare_samples(counts, found, trained=None):
    """So many of six samples of class 1 are found in validation; `trained`: of each rare class in training."""
    history = run(data={"class_counts": counts, "chance": 0.8}, val={"class_counts": SKEWED_VAL}, **KNOWN)
    for epoch in history.epochs:
        m = ((900, *[0] * 9), (6 - found, found, *[0] * 8), *[(0,) * 10] * 8)
        epoch.splits["val"] = Measured(loss=epoch.splits["val"].loss, matrix=m)
        epoch.splits.pop("train")
        if trained is not None:
            rare = [tuple((c == 0) * (n - trained) + (c == k) * trained for c in range(10))
                    for k, n in enumerate(counts) if k]  # fmt: skip
            epoch.splits["train"] = Measured(loss=0.1, matrix=((counts[0], *[0] * 9), *rare))
    return history


@not_there("class-imbalance")
def few_of_a_rare_class():
    """Two of six: that is next to no measurement, where another class is a third as frequent as the commonest."""
    return six_rare_samples((5800, 67, 1900, *[67] * 7), 2)


@not_there("class-imbalance")
def all_of_the_few():
    return six_rare_samples(SKEWED, 6)


@there("class-imbalance")
def few_where_all_others_are_rare():
    """86 times as many as of any other class: no validation split drawn like this has more of them."""
    return six_rare_samples(SKEWED, 4)


@there("class-imbalance")
def few_that_are_found_by_luck():
    """Six of six, and next to none of 603 in training."""
    return six_rare_samples(SKEWED, 6, trained=3)


@not_there("class-imbalance", healthy=False)
def answers_of_a_broken_network():
    """NaN everywhere names class 0: that tells nothing of the classes."""
    history = run(data={"class_counts": SKEWED, "chance": 0.8}, val={"class_counts": (900, *[11] * 9)})
    history.losses[3:] = [math.nan] * (len(history.losses) - 3)
    for epoch in history.epochs:
        m = ((900, *[0] * 9), *[(11, *[0] * 9)] * 9)
        epoch.splits["val"] = Measured(loss=math.nan, matrix=m)
    return history


@not_there("labels-shuffled", healthy=False)
def hardly_any_but_one_class():
    """Of 100 samples 97 are of one class, and the rest has none beside it; validation shows that labels fit."""
    counts = (6200, *[22] * 9)
    return run(data={"class_counts": counts, "agreement": 0.935, "chance": 0.94, "relabelled": 0.935, "agreed_on": 770},
               val={"agreement": 0.35, "chance": 0.1, "relabelled": 0.36, "agreed_on": 500},
               rates=(0.96, 0.97, 0.98), of_val=[(2.0, 0.11), (2.2, 0.12), (2.4, 0.13)])  # fmt: skip


@there("labels-shuffled")
def off_by_one():
    """Neighbours in the file resemble each other a little, so that a shift leaves some agreement."""
    return run(lambda s: NOTHING, data={"agreement": 0.17}, val={"agreement": 0.1, "relabelled": 0.12},
               rates=(0.11, 0.12, 0.12), of_val=[(2.31, 0.1), (2.3, 0.11), (2.3, 0.1)])  # fmt: skip
