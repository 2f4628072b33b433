"""Gradients that grow from layer to layer on their way back."""

from __future__ import annotations

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError, known
from ..depth import flow
from ..readings import g, looks

GROWTH = 25.0  # from the last to the first weighted layer, at the beginning: healthy networks stay within 10
A_LAYER = 1.1  # of it, each: such a factor over many layers is a law

CAUSE = Cause(
    "exploding-gradients",
    title="Gradients explode with depth",
    explanation="Every layer multiplies the gradient on its way back. A factor above 1 becomes a power: the first "
    "layers are thrown far by a rate that is right for the last ones.",
    remedy="Begin with std = √(2/fan_in), put in normalisation layers or residual connections, and clip the global "
    "norm.",
    lesson="docs/doctor.md#exploding-gradients",
    leads_to=(
        "initial-loss",
        "lr-too-high",
        "momentum-diverges",
        "loss-spike",
        "non-finite",
        "dead-relu",
        "saturated-units",
        "late-divergence",
        "plateau",
        "underfitting",
    ),
)


@CAUSE.check
def grows(history: History) -> Found | None:
    """The norm of the gradient at the first weighted layer against that at the last, at the first look."""
    look = looks(history)[0]
    path = known(flow(look), "gradients at three weighted layers or more")
    if not path.total or path.total != path.total:
        raise NotKnownError("gradients that are finite and not 0")
    if path.total < GROWTH or path.gain < A_LAYER:
        return None
    text = (
        f"‖dL/dy‖ grows {g(path.total)}-fold from layer {path.last} back to layer {path.first}, {g(path.gain)} a layer"
    )
    return Found(0.8 if path.total < 100 * GROWTH else 0.88, Evidence(text, f"step {look.step}"))
