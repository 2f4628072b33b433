"""Linear layers with nothing between them."""

from __future__ import annotations

from scratchnet.train.history import History
from scratchnet.train.history.records import LayerLook

from ..cause import Cause, Evidence, Found, known
from ..readings import looks

LINEAR = ("Dense", "Conv1d", "Conv2d", "ConvTranspose2d")  # y = Wx + b, however the weights are shared
TRANSPARENT = (
    "Flatten",
    "Reshape",
    "Dropout",
    "AvgPool2d",
    "GlobalAvgPool2d",
    "BatchNorm",
    "BatchNorm1d",
    "BatchNorm2d",
)
"""Linear too once trained: two linear layers with only these between them are one."""

CAUSE = Cause(
    "missing-nonlinearity",
    title="Linear layers follow each other",
    explanation="Two linear layers with nothing between them are one: W₂(W₁x + b₁) + b₂ is linear in x. The network "
    "can draw straight lines between classes, whatever its depth.",
    remedy="Put a ReLU (or tanh, GELU) after every linear layer but the last.",
    lesson="docs/doctor.md#missing-nonlinearity",
    leads_to=("class-imbalance", "underfitting", "plateau", "lr-too-high"),
)


@CAUSE.check
def in_a_row(history: History) -> Found | None:
    """Pairs of linear layers that nothing but linear layers part; a narrow one between wide ones is meant so."""
    layers = known(looks(history)[0].layers or None, "the layers")
    top = [layer for layer in layers if "." not in layer.path]
    pairs: list[tuple[LayerLook, LayerLook]] = []
    hidden, seen, before = 0, False, None
    for layer in top:
        if layer.kind in LINEAR:
            hidden += seen
            if before is not None:
                pairs.append((before, layer))
            seen, before = True, layer
        elif layer.kind not in TRANSPARENT:
            before = None
    if not pairs:
        return None
    evidence = []
    for a, b in pairs[:3]:
        text = f"nothing nonlinear stands between {a.layer or a.kind} and {b.layer or b.kind}"
        evidence.append(Evidence(text, f"layers {a.path} and {b.path}"))
    text = f"{len(pairs)} of {hidden} pairs of linear layers in a row"
    return Found(0.93 if len(pairs) == hidden else 0.8, *evidence, Evidence(text, "the network"))
