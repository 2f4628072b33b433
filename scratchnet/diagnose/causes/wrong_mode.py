"""Training in evaluation mode, or the other way round."""

from __future__ import annotations

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError
from ..readings import g, looks

MODAL = ("Dropout", "BatchNorm", "BatchNorm1d", "BatchNorm2d")  # layers that do another thing in training
ONCE = 1.02  # training forwards a batch, at the most; retried batches leave a little more than 1

CAUSE = Cause(
    "wrong-mode",
    title="Training and evaluation mode are mixed up",
    explanation="Dropout and batch normalisation do one thing in training and another in use. Evaluated in training "
    "mode, units are dropped and the batch sets its own scale; trained in evaluation mode, statistics are never "
    "learned.",
    remedy="training=True in the training loop, predict (or training=False) everywhere else.",
    lesson="docs/doctor.md#wrong-mode",
    leads_to=("overfitting", "plateau", "underfitting", "frozen-validation", "late-divergence", "lr-too-high"),
)


@CAUSE.check
def steps(history: History) -> Found | None:
    """Training steps whose forward pass was not one for training."""
    told = [look for look in looks(history) if look.training is not None]
    if not told:
        raise NotKnownError("the mode of forward passes")
    wrong = [look for look in told if not look.training]
    if len(wrong) <= len(told) / 2:
        return None
    text = f"{len(wrong)} of {len(told)} training steps seen ran in evaluation mode{_of(history)}"
    return Found(0.96 if _of(history) else 0.7, Evidence(text, f"step {wrong[0].step} to {wrong[-1].step}"))


@CAUSE.check
def evaluations(history: History) -> Found | None:
    """More training forwards than batches: evaluations ran in training mode, or steps in none."""
    told = [e for e in history.epochs if e.forwards is not None and e.batches]
    if not told:
        raise NotKnownError("the training forwards of an epoch")
    epoch = told[-1]
    forwards, batches = epoch.forwards or 0, epoch.batches or 1
    if not _of(history):
        return None  # no layer here knows the difference
    where = f"epoch {epoch.epoch}"
    if forwards > ONCE * batches + 1:
        text = f"{g(forwards)} forward passes in training mode for {g(batches)} training batches{_of(history)}"
        return Found(0.95, Evidence(text, where))
    if forwards < batches / 2:
        text = f"{g(forwards)} forward passes in training mode for {g(batches)} training batches{_of(history)}"
        return Found(0.95, Evidence(text, where))
    return None


def _of(history: History) -> str:
    """The layers that care, in words; empty where none does."""
    if not history.looks:
        return ""
    kinds = sorted({layer.kind for layer in history.looks[0].layers if layer.kind in MODAL})
    return f", and the network has {' and '.join(str(kind) for kind in kinds)}" if kinds else ""
