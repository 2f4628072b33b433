"""Gradients that fade from layer to layer on their way back."""

from __future__ import annotations

import numpy as np

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError
from ..depth import flow
from ..readings import g, looks
from ..skill import learned

FADED = 0.005  # of the last weighted layer's gradient that reaches the first; healthy networks keep a tenth and more
FIRST = 5  # looks: steps 1 to 10, of most monitors
A_LAYER = 0.55  # of it, each

CAUSE = Cause(
    "vanishing-gradients",
    title="Gradients vanish with depth",
    explanation="Every layer multiplies the gradient on its way back: a sigmoid by a quarter at most, a small weight "
    "by its smallness. A factor below 1 becomes a power, and the first layers stand still while the last learn.",
    remedy="ReLU in place of sigmoid, std = √(2/fan_in), normalisation layers, residual connections.",
    lesson="docs/doctor.md#vanishing-gradients",
    leads_to=("class-imbalance", "frozen-parameters", "plateau", "underfitting", "lr-too-low"),
)


@CAUSE.check
def fades(history: History) -> Found | None:
    """The norm of the gradient at the first weighted layer against that at the last, in the first looks.

    Later it says less: weights before a batch normalisation grow, and their gradients shrink by as much.
    """
    told = [(path, look.step) for look in looks(history)[:FIRST] if (path := flow(look)) is not None]
    told = [(path, step) for path, step in told if path.total == path.total]
    if not told:
        raise NotKnownError("gradients at three weighted layers or more")
    typical = float(np.median([path.total for path, _ in told]))
    path, step = min(told, key=lambda one: abs(one[0].total - typical))
    if typical > FADED or path.gain > A_LAYER:
        path, step = told[0]  # at the beginning, where it costs the most
    if not path.total and typical > 0:  # a last layer that begins at zero lets nothing pass at first
        return None
    if path.total > FADED or path.gain > A_LAYER or learned(history):
        return None
    text = f"{g(path.total)} of ‖dL/dy‖ at layer {path.last} reaches layer {path.first}: {g(path.gain)} a layer"
    return Found(0.8 if path.total and typical <= FADED else 0.65, Evidence(text, f"step {step}"))
