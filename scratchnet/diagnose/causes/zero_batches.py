"""An epoch in which nothing was trained."""

from __future__ import annotations

from scratchnet.train.history import History
from scratchnet.train.history.records import Epoch

from ..cause import Cause, Evidence, Found, NotKnownError, known
from ..readings import accuracy, config_number, g

CAUSE = Cause(
    "zero-batches",
    title="An epoch has zero batches",
    explanation="The loop over the training data was empty, most often because a batch is larger than the data and "
    "drop_last leaves out what does not fill one. Nothing is trained, so validation stands still; trackers then "
    "report 0 for a mean over nothing, which is neither a loss nor an accuracy.",
    remedy="Make the batch smaller than the data or keep the last one; raise an error where an epoch has no batch.",
    lesson="docs/doctor.md#zero-batches",
    leads_to=(
        "frozen-validation",
        "frozen-parameters",
        "plateau",
        "underfitting",
        "impossible-accuracy",
        "lr-too-low",
        "initial-loss",
        "wrong-scale",
    ),
)


@CAUSE.check
def counted(history: History) -> Found | None:
    """By the number of batches or samples."""
    told = [epoch for epoch in history.epochs if epoch.batches is not None or epoch.samples is not None]
    empty = [epoch for epoch in told if epoch.batches == 0 or epoch.samples == 0]
    if not told:
        raise NotKnownError("the batches of an epoch")
    if not empty:
        return None
    text = f"{len(empty)} of {len(told)} epochs trained on 0 batches"
    return Found(1.0, Evidence(text, f"epoch {empty[0].epoch}"), *_sizes(history))


@CAUSE.check
def told_by_zeros(history: History) -> Found | None:
    """A loss of exactly 0 says that all is right, an accuracy of exactly 0 that nothing is: a mean over nothing."""
    told = known(history.measured("train") or None, "the training loss")
    both = [(e, m) for e, m in told if m.loss is not None and accuracy(m) is not None]
    zero = [e for e, m in both if m.loss == 0 and accuracy(m) == 0]
    if not both:
        raise NotKnownError("the training loss and accuracy")
    if not zero:
        return None
    text = f"training loss and training accuracy are both exactly 0 in {len(zero)} of {len(told)} epochs"
    frozen = _frozen(history.epochs)
    return Found(0.97, Evidence(text, f"epoch {zero[0]} to {zero[-1]}"), *frozen, *_sizes(history))


def _frozen(epochs: list[Epoch]) -> list[Evidence]:
    losses = [m.loss for epoch in epochs if (m := epoch.splits.get("val")) and m.loss is not None]
    if len(losses) < 2 or len(set(losses)) > 1:
        return []
    return [Evidence(f"the validation loss stays at {losses[0]!r} for {len(losses)} epochs: no weight moved", "val")]


def _sizes(history: History) -> list[Evidence]:
    size, facts = config_number(history, "batch_size"), history.data.get("train")
    if size is None or facts is None or facts.samples >= size:
        return []
    return [Evidence(f"a batch holds {g(size)} samples, the training split {g(facts.samples)}", "settings")]
