"""Within the network: gradients by depth, updates against weights, units that say nothing."""

from __future__ import annotations

import math
from statistics import median

from scratchnet.train.history import History
from scratchnet.train.history.records import LayerLook, Look

from ..depth import WEIGHTED
from ..readings import g, pc
from .axis import finite, linear, logarithmic, say
from .course import thin
from .plot import RIGHT, WIDTH, Drawn, Plot, Point, xs, ys
from .rows import LABEL, Rows

USUAL = (1e-4, 1e-2)
"""Update/weight ratios of healthy runs, once they are under way."""
LEVEL = (0.1, 10.0)
"""The first layer's gradient against the last one's in healthy networks."""
DEEPEST = 28  # layers that have a row each
LINES = 12  # parameters that have a line each
NAMED = 6  # lines up to which each is named in the key
SPOTS = 60  # looks of which a line is made


def gradient_flow(history: History) -> Drawn | None:
    """‖dL/dy‖ of every layer over that of the last one, at the first look and at the last."""
    told = [(look, flow) for look in history.looks if (flow := _flow(look))]
    if not told:
        return None
    ends = [told[0], told[-1]] if len(told) > 1 else told[:1]
    held = [v for _, flow in ends for _, v in flow if not math.isnan(v)]
    layers = [layer for layer, _ in ends[0][1]]
    rows = Rows([_name(layer) for layer in layers], logarithmic([*LEVEL, *held], LABEL, WIDTH - RIGHT - 4),
                "‖dL/dy‖, the last layer's = 1")  # fmt: skip
    rows.band(*LEVEL, "healthy networks stay within")
    key = [("band-key", "usual")]
    place = {layer.path: row for row, layer in enumerate(layers)}
    for (look, flow), kind in zip(ends, ("k1", "k0"), strict=False):
        key.append((kind, f"step {say(look.step)}"))
        spots = [(place[layer.path], v) for layer, v in flow if layer.path in place]
        _trace(rows, spots, kind)
        for layer, value in flow:
            if layer.path in place:
                through = f"; gain through it {g(layer.gain)}" if layer.gain is not None else ""
                words = f"{_name(layer)}, step {say(look.step)}: {say(value)} of the last layer's{through}"
                if math.isnan(value):
                    rows.cross(place[layer.path], f"{_name(layer)}, step {say(look.step)}: no finite number")
                else:
                    rows.dot(place[layer.path], value, kind, words, "ring" if kind == "k1" else "dot")
    first, value = ends[0][1][0]
    seen = "no finite number" if math.isnan(value) else f"{g(value)} times the last layer's"
    caption = f"the gradient at {_name(first)} is {seen} at step {say(ends[0][0].step)}"
    return Drawn(rows.done("Gradient by depth", lambda row: _full(layers[row])), caption, tuple(key))


def update_ratio(history: History) -> Drawn | None:
    """‖update‖/‖weight‖ of each parameter."""
    lines: dict[str, list[Point]] = {}
    for look in thin(sorted(history.looks, key=lambda look: look.step), SPOTS):
        for name, p in look.parameters.items():
            if p.update is not None and p.weight:
                lines.setdefault(name, []).append((finite(look.step), finite(p.update / p.weight)))
    if not lines:
        return None
    fans = {name for look in history.looks for name, p in look.parameters.items() if p.fan_in}
    shown = thin([name for name in lines if name in fans] or list(lines), LINES)
    shown += thin([name for name in lines if name not in fans and fans], LINES - len(shown))
    shown.sort(key=_place)
    layers = list(dict.fromkeys(name.rpartition(".")[0] for name in shown))
    hues = {name: 10 * layers.index(name.rpartition(".")[0]) // max(len(layers) - 1, 1) for name in shown}
    held = [y for name in shown for _, y in lines[name] if not math.isnan(y)]
    steps = [x for name in shown for x, _ in lines[name]]
    plot = Plot(linear(steps, *xs(), whole=True), logarithmic([*USUAL, *held], *ys()), "step", "update / weight")
    plot.band(*USUAL, "usual once a run is under way: 0.0001 to 0.01")
    for name in shown:
        plot.line(lines[name], f"h{hues[name]}{'' if name in fans else ' dashed'}", name, "step", dots=len(held) < 60)
    named = shown if len(shown) <= NAMED else [shown[0], shown[-1]]
    key = [("band-key", "usual")]
    key += [(f"h{hues[name]}{'' if name in fans else ' dashed'}", name) for name in named]
    key += [("lost-key", "no finite number")] if len(held) < len(steps) else []
    of = (
        f" ({len(shown)} of {len(lines)} parameters, blue to orange from first to last layer, weights solid)"
        if len(shown) > NAMED
        else ""
    )
    ends = [[y for _, y in lines[name] if not math.isnan(y)] for name in shown if name in fans or not fans]
    told = [ys[-1] for ys in ends if ys]
    caption = f"{g(median(told))} at last, median{of}" if told else f"not one finite number{of}"
    return Drawn(plot.done("Update over weight, by parameter"), caption, tuple(key))


def units(history: History) -> Drawn | None:
    """Dead units of layers that rectify and saturated outputs of those that are bounded, at the first and last look."""
    told = [look for look in history.looks if any(_silent(layer) is not None for layer in look.layers)]
    if not told:
        return None
    last = thin([layer for layer in told[-1].layers if _silent(layer) is not None], DEEPEST)
    before = {layer.path: _silent(layer) for layer in told[0].layers}
    axis = linear([0.0, 1.0], LABEL, WIDTH - RIGHT - 8)
    rows = Rows([_name(layer) for layer in last], axis, "share of the layer's units or outputs")
    kinds = {"dead": "k1", "saturated": "k3"}
    worst, worst_words, seen = -1.0, "", set()
    for row, layer in enumerate(last):
        what, share = _silent(layer) or ("dead", math.nan)
        words = f"{_name(layer)}, step {say(told[-1].step)}: {pc(share)} {what}"
        words += f", {pc(layer.never)} in no batch so far" if layer.never is not None and what == "dead" else ""
        seen.add(what)
        if math.isnan(share):
            rows.cross(row, f"{_name(layer)}: no finite number")
            continue
        rows.bar(row, 0.0, share, kinds[what], words)
        was = before.get(layer.path)
        if was is not None and not math.isnan(was[1]) and len(told) > 1:
            rows.dot(row, was[1], "ink", f"{_name(layer)}, step {say(told[0].step)}: {pc(was[1])} {was[0]}", "ring")
        if share > worst:
            worst, worst_words = share, f"{pc(share)} {what} in {_name(layer)}"
    names = {"dead": "0 for the whole batch", "saturated": "saturated"}
    key = [(f"bar-key {kinds[what]}", f"{names[what]}, step {say(told[-1].step)}") for what in kinds if what in seen]
    key += [("ring-key", f"at step {say(told[0].step)}")] if len(told) > 1 else []
    caption = f"at most {worst_words}, at step {say(told[-1].step)}" if worst_words else "no share is a finite number"
    return Drawn(rows.done("Dead and saturated units", lambda row: _full(last[row])), caption, tuple(key))


def _flow(look: Look) -> list[tuple[LayerLook, float]]:
    """Layers with the gradient at their outputs over the last one's; of deep networks those with weights."""
    told = [layer for layer in look.layers if layer.gradient is not None]
    if len(told) > DEEPEST:
        told = thin([layer for layer in told if layer.kind in WEIGHTED] or told, DEEPEST)
    if len(told) < 2:
        return []
    last = finite(told[-1].gradient)
    return [(layer, finite(finite(layer.gradient) / last if last else math.nan)) for layer in told]


def _trace(rows: Rows, spots: list[tuple[int, float]], kind: str) -> None:
    """A line through what is finite."""
    run: list[tuple[int, float]] = []
    for spot in [*spots, (0, math.nan)]:
        if math.isnan(spot[1]):
            if len(run) > 1:
                rows.path(run, kind, "")
            run = []
        else:
            run.append(spot)


def _silent(layer: LayerLook) -> tuple[str, float] | None:
    """("dead" or "saturated", the share) of a layer that can be either."""
    if layer.saturated is not None:
        return "saturated", finite(layer.saturated)
    return ("dead", finite(layer.dead)) if layer.dead is not None and layer.never is not None else None


def _place(name: str) -> list[tuple[int, int, str]]:
    """Sorts parameters by layer: "2.W" before "10.W"."""
    return [(0, int(part), "") if part.isascii() and part.isdigit() else (1, 0, part) for part in name.split(".")]


def _name(layer: LayerLook) -> str:
    return f"{layer.path} {layer.kind or ''}".strip()


def _full(layer: LayerLook) -> str:
    return f"{layer.path}: {layer.layer or layer.kind or 'layer'}"
