"""Sigmoid and tanh units at their bounds."""

from __future__ import annotations

from scratchnet.train.history import History

from ..cause import Cause, Evidence, Found, NotKnownError
from ..readings import looks, pc
from ..skill import MOSTLY, learned

MANY = 0.6  # of the outputs within 1 % of a bound; healthy tanh layers reach 0.3 late in training

CAUSE = Cause(
    "saturated-units",
    title="Sigmoid or tanh units are saturated",
    explanation="Next to its bounds the function is flat: its derivative is nearly 0 and so is what passes back. The "
    "layers before it learn next to nothing.",
    remedy="Scale the inputs, begin with weights of std √(1/fan_in), lower the learning rate; or put a normalisation "
    "layer before the activation.",
    lesson="docs/doctor.md#saturated-units",
    leads_to=("class-imbalance", "vanishing-gradients", "frozen-parameters", "plateau", "underfitting", "lr-too-low"),
)


@CAUSE.check
def at_the_bounds(history: History) -> Found | None:
    """The most saturated layer, early and late; gates of recurrent layers are not looked at."""
    told = [(layer.saturated, layer, look.step) for look in looks(history) for layer in look.layers
            if layer.saturated is not None]  # fmt: skip
    if not told:
        if any(layer.kind in ("Sigmoid", "Tanh") for layer in history.looks[0].layers):
            raise NotKnownError("the saturation of sigmoid and tanh units")
        return None
    paths = {layer.path for _, layer, _ in told}
    found = []
    for path in paths:
        series = [(share, layer, step) for share, layer, step in told if layer.path == path]
        late = series[-max(1, len(series) // 2) :]
        mean = sum(share for share, _, _ in late) / len(late)
        if mean > MANY:
            found.append((mean, series))
    if not found or learned(history, MOSTLY):  # the units of a sure network are saturated in the end
        return None
    mean, series = max(found, key=lambda one: (one[0], one[1][0][1].path))
    (begun, layer, first), (ended, _, last) = series[0], series[-1]
    text = f"{pc(ended)} of the outputs of layer {layer.path} ({layer.layer or layer.kind}) are at a bound"
    more = Evidence(f"{pc(begun)} at the beginning", f"step {first}")
    return Found(
        0.5 + 0.35 * (mean - MANY) / (1 - MANY) + (0.1 if begun > MANY else 0), Evidence(text, f"step {last}"), more
    )
