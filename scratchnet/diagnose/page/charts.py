"""The charts that a page shows, those first that speak for the verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scratchnet.train.history import History

from ..diagnosis import Diagnosis
from .course import accuracy_by_epoch, loss_by_epoch, loss_by_step
from .data import input_range, predictions
from .inside import gradient_flow, units, update_ratio
from .markup import Markup, figures, join, tag
from .plot import Drawn

KEY_SHAPES = {
    "band-key": "M0 1H22V13H0Z",
    "bar-key": "M2 2H20V12H2Z",
    "rug-key": "M11 3V11",
    "cross-key": "M7 3L15 11M7 11L15 3",
    "lost-key": "M7 3L15 11M7 11L15 3",
    "ring-key": "M11 3.5a3.5 3.5 0 1 0 .01 0Z",
    "spike": "M11 2L16 11H6Z",
    "nonfinite": "M7 3L15 11M7 11L15 3",
    "skipped": "M6 7H16",
    "other": "M11 2L16 7L11 12L6 7Z",
}
LINE = "M0 7H22"


@dataclass(frozen=True)
class Chart:
    """A picture of one thing. `speaks`: the causes that it is evidence of; `needs`: what must have been recorded."""

    title: str
    draw: Callable[[History], Drawn | None]
    needs: str
    speaks: frozenset[str]


def _chart(title: str, draw: Callable[[History], Drawn | None], needs: str, speaks: str) -> Chart:
    return Chart(title, draw, needs, frozenset(speaks.split()))


CHARTS = (
    _chart("Range of the inputs", input_range, "the inputs' range (a Monitor's data or looks)", "inputs-unscaled"),
    _chart(
        "Loss by step",
        loss_by_step,
        "the losses of single steps",
        "lr-too-high lr-too-low initial-loss momentum-diverges loss-spike late-divergence non-finite plateau "
        "wrong-sign wrong-scale not-zeroed underfitting data-order double-softmax regularisation-too-strong huge-init",
    ),
    _chart(
        "Accuracy by epoch",
        accuracy_by_epoch,
        "the accuracy by epoch",
        "labels-shuffled labels-remapped overfitting underfitting impossible-accuracy wrong-split wrong-mode "
        "split-leak frozen-validation zero-batches plateau",
    ),
    _chart(
        "Loss by epoch",
        loss_by_epoch,
        "the loss by epoch",
        "overfitting wrong-split wrong-mode frozen-validation zero-batches labels-remapped regularisation-too-strong",
    ),
    _chart(
        "Gradient by depth",
        gradient_flow,
        "gradients by layer (a Monitor's looks)",
        "exploding-gradients vanishing-gradients wrong-fan zero-init huge-init saturated-units missing-nonlinearity",
    ),
    _chart(
        "Update over weight, by parameter",
        update_ratio,
        "the updates of parameters (a Monitor's looks)",
        "lr-too-high lr-too-low frozen-parameters momentum-diverges symmetric-init zero-init wrong-fan wrong-scale "
        "not-zeroed",
    ),
    _chart(
        "Dead and saturated units",
        units,
        "what units put out (a Monitor's looks at ReLUs, sigmoids or tanhs)",
        "dead-relu saturated-units huge-init",
    ),
    _chart(
        "Classes predicted and classes there",
        predictions,
        "the labels or predictions by class",
        "class-imbalance labels-out-of-range labels-remapped labels-shuffled",
    ),
)


def charts(history: History, diagnosis: Diagnosis) -> Markup:
    """All that can be drawn; then what was not recorded."""
    first = diagnosis.first.cause.id if diagnosis.first else None
    drawn, missing = [], []
    for chart in sorted(CHARTS, key=lambda chart: first not in chart.speaks):
        shown = chart.draw(history)
        if shown is None:
            missing.append(tag("li", tag("b", chart.title), f": not recorded: {chart.needs}"))
        else:
            drawn.append(_figure(chart, shown, first in chart.speaks))
    parts = [tag("h2", "The evidence in pictures" if diagnosis.first else "The run in pictures")]
    if drawn:
        parts.append(tag("div", *drawn, class_="charts"))
    if missing:
        parts += [tag("h3", "Not drawn"), tag("ul", *missing, class_="plain")]
    return tag("section", *parts, id="charts")


def _figure(chart: Chart, shown: Drawn, speaks: bool) -> Markup:
    head = tag("h3", chart.title, tag("span", "speaks for the verdict", class_="speaks") if speaks else None)
    key = [tag("li", _sign(kind), name) for kind, name in shown.key]
    return tag(
        "figure",
        head,
        tag("figcaption", figures(shown.caption)),
        shown.picture,
        tag("ul", *key, class_="key") if key else None,
        class_="card evidence" if speaks else "card",
    )


def _sign(kind: str) -> Markup:
    """What a line, bar or mark looks like."""
    shape = next((KEY_SHAPES[word] for word in reversed(kind.split()) if word in KEY_SHAPES), None)
    classes = kind if shape else ("level" if kind == "level-key" else f"line {kind}")
    path = tag("path", d=shape or LINE, class_=classes)
    return join(tag("svg", path, viewBox="0 0 22 14", class_="sign", aria_hidden="true"), " ")
