"""The functions of an emitted module that train: forward, backward, sgd_step, and gradcheck, which proves them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import ExportError
from ..graph import Graph, Value
from ..trace import graph_of
from .body import Body
from .lines import WIDTH, exploded, tuple_of
from .model import Part, is_index, local_names
from .text import names_in

if TYPE_CHECKING:
    from scratchnet.core.network import Network

P = "p: dict[str, Array]"

SGD_STEP = '''def sgd_step({p}, {signature}, target: Array, lr: float{count}) -> float:
    """One step of gradient descent on p, under softmax cross-entropy; the loss before it."""
    z, saved{updates} = forward(p, {given}{counted})
    loss, dz = softmax_cross_entropy(z, target)
    for name, gradient in backward(p, saved, dz).items():
        p[name] = p[name] - lr * gradient{update}
    return loss'''

GRADCHECK = '''def gradcheck() -> float:
    """Hold the backward against differences of the forward, in float64; the worst relative error."""
    rng = np.random.default_rng(0)
    p = {{name: array.astype(np.float64) for name, array in {everything}.items()}}
    x = {x}
    worst = worst_error(forward, backward, p, tuple(PARAMETERS), x)
    if not worst <= 1e-5:
        raise ArithmeticError(f"a gradient is wrong: relative error {{worst:.1e}}")
    return worst'''


def training(net: Network, names: Mapping[str, str]) -> Part:
    """All four, for a network whose parameters and buffers have these identifiers."""
    if not net.parameters.segments:
        raise ExportError("a network without parameters has no backward to write")
    graph = graph_of(net, training=True)
    inputs, counts = graph.inputs, "count" in graph.values
    given = [value.name for value in inputs]
    known = {name: f'p["{text}"]' for name, text in names.items()} | {name: name for name in given} | {"count": "count"}
    body = Body(graph, local_names(names), known, f"len({given[0]})", names)
    body.add(graph.nodes)
    result = body.view(graph.logits)
    updates = [f'"{names[name]}": {body.view(view)}' for name, view in graph.updates.items()]
    forward, before = body.lines, dict(body.texts)
    body.lines = []
    body.texts["dlogits"] = "dlogits"
    body.add(graph.backward)
    used = set(names_in("def backward():\n" + "\n".join([*body.lines, "    pass"])))
    saved = [text for text in dict.fromkeys(before.values()) if text in used]
    signature = [f"{name}: Array" for name in given]
    kinds = "Array, dict[str, Array]" + (", dict[str, Array]" if updates else "")
    everything = ", ".join([P, *signature, *(["count: int = 1"] if counts else [])])
    texts = [
        [
            f"def forward({everything}) -> tuple[{kinds}]:",
            '    """The forward of training: logits, and what the backward needs."""',
            *forward,
            *_dict("saved = {", [f'"{name}": {name}' for name in saved], "}"),
            *(exploded("updates = {", updates, "}") if updates else []),
            f"    return {result}, saved{', updates' if updates else ''}",
        ],
        [
            f"def backward({P}, saved: dict[str, Array], dlogits: Array) -> dict[str, Array]:",
            '    """The gradients of Σ dlogits·logits by the parameters."""',
            *(f'    {name} = saved["{name}"]' for name in saved),
            *body.lines,
            *exploded("return {", [f'"{names[name]}": {text}' for name, text in body.gradients.items()], "}"),
        ],
    ]
    step = SGD_STEP.format(
        p=P,
        signature=", ".join(signature),
        given=", ".join(given),
        count=", count: int = 1" if counts else "",
        counted=", count" if counts else "",
        updates=", updates" if updates else "",
        update="\n    p.update(updates)" if updates else "",
    )
    check = GRADCHECK.format(
        everything="(PARAMETERS | BUFFERS)" if net.buffers.segments else "PARAMETERS",
        x=tuple_of([_drawn(net, graph, value) for value in inputs]),
    )
    return Part(
        ["\n".join(lines) for lines in texts] + [step, check], [*body.used, "softmax_cross_entropy", "worst_error"]
    )


def _dict(before: str, items: list[str], after: str) -> list[str]:
    """On one line, or one item a line."""
    line = f"    {before}{', '.join(items)}{after}"
    return [line] if len(line) <= WIDTH else exploded(before, items, after)


def _drawn(net: Network, graph: Graph, value: Value) -> str:
    """Three samples of an input."""
    shape = (3, *(int(extent) for extent in value.shape[1:]))
    if not is_index(net, value.name):
        return f"rng.normal(size={shape})"
    for node in graph.nodes:
        if node.op == "embedding" and node.given["x"].of == value.name:
            return f"rng.integers(0, {int(graph.values[node.given['W'].of].shape[0])}, {shape})"
    raise ExportError("indices into no table", where=value.name)
