"""A validation figure that is the same to the last digit."""

from __future__ import annotations

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError
from ..readings import accuracy, g, held_out, pc

EPOCHS = 3  # with the same loss: two may agree to the digits that are printed
WAVERS = 0.15  # of itself: what a batch normalisation that still takes in batches does to an old copy's loss
APART = 0.3  # between the rates of training and of a copy that has learned nothing
HALF = 0.5  # of the validation loss, and of its own first, that the training loss has come down to meanwhile
MOVED = 0.03  # of the training loss between the second and the last of them: then weights have moved

CAUSE = Cause(
    "frozen-validation",
    title="The validation loss is frozen",
    explanation="A loss that is equal to the last digit was measured with the same weights: they did not move, "
    "another copy of the network is measured, or the first figure is shown again and again.",
    remedy="Evaluate the network that is trained, after each epoch, and compute the figure anew. If training stands "
    "still too, the cause lies there.",
    lesson="docs/doctor.md#frozen-validation",
)


@CAUSE.check
def same_digits(history: History) -> Found | None:
    """A run of epochs at the end with the same loss, and what training did meanwhile."""
    train = {e: m.loss for e, m in history.measured("train") if m.loss is not None}
    asked = 0
    for name, told in held_out(history):
        losses = [(e, m.loss) for e, m in told if m.loss is not None and m.loss == m.loss]
        if len(losses) < EPOCHS:
            continue
        asked += 1
        last = losses[-1][1]
        same = 0
        while same < len(losses) and losses[-1 - same][1] == last:
            same += 1
        if same < EPOCHS or (last == 0 and (not train.get(losses[-1][0]) or accuracy(told[-1][1]) == 1)):
            continue  # nothing is left to learn
        begin, end = losses[-same][0], losses[-1][0]
        evidence = [Evidence(f"the {name} loss is {last!r} in {same} epochs", f"epoch {begin} to {end}")]
        a, b = train.get(losses[-same + 1][0]), train.get(end)  # in the epoch before, weights may have moved
        moved = a is not None and b is not None and abs(a - b) > MOVED * max(abs(a), abs(b))
        if a is not None and b is not None:
            evidence.append(Evidence(f"the training loss goes from {g(a)} to {g(b)}", f"epoch {begin} to {end}"))
        return Found(0.93 if moved else 0.6, *evidence)
    if not asked:
        raise NotKnownError(f"the validation loss of {EPOCHS} epochs or more")
    return None


@CAUSE.check
def stands_still(history: History) -> Found | None:
    """Nearly the same loss from beginning to end, beside a training that learns: not even memory leaves it alone."""
    train, asked = dict(history.measured("train")), 0
    for name, told in held_out(history):
        both = [(m, train[e]) for e, m in told if e in train and m.loss is not None and train[e].loss is not None]
        rates = [(accuracy(a), accuracy(b)) for a, b in both]
        if len(both) < EPOCHS or None in rates[-1]:
            continue
        asked += 1
        losses, ours = [m.loss or 0.0 for m, _ in both], [m.loss or 0.0 for _, m in both]
        (theirs, known_), low, high = rates[-1], min(losses), max(losses)
        if high == low or high - low > WAVERS * low or ours[-1] > HALF * min(low, ours[0]):
            continue
        if known_ is None or theirs is None or known_ - theirs < APART:
            continue
        text = f"the {name} loss stays between {g(low)} and {g(high)}, with {pc(theirs)} right"
        beside = f"the training loss goes from {g(ours[0])} to {g(ours[-1])}, with {pc(known_)} right"
        return Found(0.75, Evidence(text, f"{len(both)} epochs"), Evidence(beside, f"epoch {told[-1][0]}"))
    if not asked:
        raise NotKnownError(f"losses and rates of {EPOCHS} epochs or more")
    return None
