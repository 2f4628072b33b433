"""A network that cannot hold what the data say."""

from __future__ import annotations

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError, known
from ..readings import accuracy, classes, g, held_out, looks, majority, pc, train_facts
from ..series import long
from ..skill import able

SHORT = 0.15  # that its training accuracy stays below that of a nearest neighbour, who knows no more than the data
NARROW = 0.5  # units of the narrowest hidden layer for each class
PAIR = 2  # units that hold three classes or more badly, too
POOR = 0.7  # of the way from the commonest class's share to 1: a network that gets there is not too small by much
LEAST = 3  # epochs: within one or two, a run is not done however flat it looks
SINGLE = 0.85  # the same for a layer of one unit: a single number does better than it seems, and no more
EPOCHS = 4  # that must be told where nothing else is
HALF = 0.7  # of the training samples right: below it, a good part of what there is to learn is not
LEVEL = 0.03  # of the first loss that the last quarter of the run still gains
SLOW = 0.1  # the same where a layer is too narrow: such a network creeps on for long
FLAT = 0.02  # of the loss that the last quarter still gains: then it has done what it can

CAUSE = Cause(
    "underfitting",
    title="The network underfits",
    explanation="It has stopped improving on the very samples that it is trained on, though these can be told apart: "
    "too few units or layers, or too little of it is in use.",
    remedy="Widen or deepen the network, take away regularisation, train longer with a rate that falls at the end.",
    lesson="docs/doctor.md#underfitting",
)


@CAUSE.check
def below_a_neighbour(history: History) -> Found | None:
    """The nearest neighbour does far better, on the training data themselves."""
    facts = train_facts(history)
    neighbour = known(facts.agreement, "whether alike samples have alike labels")
    rates = [r for _, m in history.measured("train") if (r := accuracy(m)) is not None]
    if not rates:
        raise NotKnownError("the training accuracy")
    if len(rates) < LEAST:
        raise NotKnownError(f"the training accuracy of {LEAST} epochs or more")
    p, most = majority(history), able(history)
    if neighbour - (p + most * (1 - p)) < SHORT or most > POOR or not _done(history):
        return None
    text = (
        f"{pc(rates[-1])} of the training samples are right; naming the nearest other one's class gives {pc(neighbour)}"
    )
    bottleneck = narrow(history)
    return Found(0.85 if bottleneck else 0.45, Evidence(text, f"epoch {history.measured('train')[-1][0]}"), *bottleneck)


@CAUSE.check
def too_narrow(history: History) -> Found | None:
    """A hidden layer of fewer units than the classes can pass through, and a training accuracy to match."""
    rates = [r for _, m in history.measured("train") if (r := accuracy(m)) is not None]
    if not rates:
        raise NotKnownError("the training accuracy")
    looks(history)
    bottleneck = narrow(history)
    single = any(layer.kind == "Dense" and layer.units == 1 for layer in history.looks[0].layers[:-1])
    if not bottleneck or able(history) > (SINGLE if single else POOR) or not _done(history, SLOW):
        return None
    text = f"{pc(rates[-1])} of the training samples are right"
    return Found(0.8, *bottleneck, Evidence(text, f"epoch {history.measured('train')[-1][0]}"))


def narrow(history: History) -> list[Evidence]:
    """The hidden layer that is too narrow for the classes, or that there is none."""
    if not history.looks:
        return []
    hidden = [layer for layer in history.looks[0].layers if layer.units and layer.kind == "Dense"][:-1]
    kinds = [layer.kind for layer in history.looks[0].layers]
    if not hidden and set(kinds) <= {"Dense", "Flatten", "Dropout", "Softmax", "LogSoftmax"}:
        return [Evidence("there is no hidden layer: classes are told apart by straight lines", "the network")]
    if not hidden:
        return []
    least = min(hidden, key=lambda layer: layer.units or 0)
    c = classes(history)
    if (least.units or 0) > max(NARROW * c, PAIR if c > PAIR else 0):
        return []
    return [
        Evidence(f"{least.layer or least.kind} has {g(least.units or 0)} units for {c} classes", f"layer {least.path}")
    ]


def _done(history: History, flat: float = FLAT) -> bool:
    told = long(history)
    quarter = told.values[-max(2, len(told.values) // 4) :]
    return quarter[0] - quarter[-1] < flat * abs(quarter[0]) + 2 * told.noise


@CAUSE.check
def stays_poor(history: History) -> Found | None:
    """Of a file that tells no more: training has levelled off with most samples wrong, and validation with it."""
    known(None if history.looks else True, "")
    both = [(e, r) for e, m in history.measured("train") if (r := accuracy(m)) is not None]
    if len(both) < EPOCHS:
        raise NotKnownError(f"the training accuracy of {EPOCHS} epochs or more")
    rate = both[-1][1]
    others = [r for _, told in held_out(history) if (r := accuracy(told[-1][1])) is not None]
    told = long(history, EPOCHS)
    half, end = told.values[-max(2, len(told.values) // 4)], told.values[-1]
    flat = half - end < LEVEL * abs(told.values[0])
    if rate > HALF or not others or abs(others[0] - rate) > 0.1 or not flat or end > told.values[0]:
        return None
    text = (
        f"{pc(rate)} right in training, {pc(others[0])} beside it; over the last quarter the loss gains {g(half - end)}"
    )
    return Found(0.5, Evidence(text, f"epoch {both[-1][0]}"))
