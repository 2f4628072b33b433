"""The functions of an emitted module that are the network's own: logits, predict, forward, backward, gradcheck."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..about import Fact
from ..errors import ExportError
from ..graph import Graph, Value
from ..trace import graph_of
from .body import Body
from .lines import exploded, tuple_of
from .names import Names

if TYPE_CHECKING:
    from scratchnet.core.network import Network


@dataclass(frozen=True)
class Part:
    """Functions as text, and the names of the library functions that they use."""

    texts: list[str]
    used: list[str]


def stored_names(stored: Iterable[str]) -> dict[str, str]:
    """The identifiers of parameters and buffers."""
    names = Names()
    return {name: names.stored(name) for name in stored}


def inputs_of(graph: Graph) -> list[Value]:
    """The arrays of x."""
    return [v for v in graph.values.values() if v.kind == "input" and v.name not in ("dlogits", "count")]


def rows_of(graph: Graph, value: Value) -> int:
    """Of an input of indices: how many rows the table has."""
    for node in graph.nodes:
        if node.op == "embedding" and node.given["x"].of == value.name:
            return int(graph.values[node.given["W"].of].shape[0])
    raise ExportError("indices into no table", where=value.name)


def evaluation(net: Network, names: dict[str, str], facts: dict[str, Fact]) -> Part:
    """logits, predict_proba and predict."""
    graph = graph_of(net)
    inputs = inputs_of(graph)
    given = [value.name for value in inputs]
    body = Body(graph, _names(names), {**names, **{name: name for name in given}}, f"len({given[0]})")
    scale = "1.0" if facts.get("pixels") == "raw" else "1 / 255"
    lines, used = [], []
    for value in inputs:
        shape = tuple(int(extent) for extent in value.shape[1:])
        index = value.dtype[0] in "iu" or _is_index(net, value.name)
        arguments = f"{shape}" if index else f'{shape}, "{net.dtype}", {scale}'
        used.append("as_index" if index else "as_input")
        lines.append(f"    {value.name} = {used[-1]}({value.name}, {arguments})")
    body.add(graph.nodes)
    signature = ", ".join(f"{name}: Array" for name in given)
    shapes = ", ".join(shape_text(value.shape) for value in inputs)
    result = body.view(graph.logits)
    texts = [
        "\n".join(
            [
                f"def logits({signature}) -> Array:",
                f'    """What the network puts out: {shapes} -> {shape_text(graph.logits.shape)}."""',
                *lines,
                *body.lines,
                f"    return {result}",
            ]
        )
    ]
    last = graph.nodes[-1].op if graph.nodes else ""
    call = f"logits({', '.join(given)})"
    if graph.logits.shape[-1] == 1:
        proba, used_here = (call, []) if last == "sigmoid" else (f"sigmoid({call})", ["sigmoid"])
        means, chosen = "The probability of class 1", f"(predict_proba({', '.join(given)})[..., 0] > 0.5).astype(int)"
    else:
        axis = len(graph.logits.shape) - 1
        how = f"softmax({call}, axis={axis})" if axis != 1 else f"softmax({call})"
        proba, used_here = {"softmax": (call, []), "log_softmax": (f"np.exp({call})", [])}.get(last, (how, ["softmax"]))
        means, chosen = "The probabilities of the classes, along the last axis", f"{call}.argmax(axis=-1)"
    texts.append(f'def predict_proba({signature}) -> Array:\n    """{means}."""\n    return {proba}')
    texts.append(f'def predict({signature}) -> Array:\n    """The class of each sample."""\n    return {chosen}')
    return Part(texts, [*used, *body.used, *used_here])


def training(net: Network, names: dict[str, str]) -> Part:
    """forward, backward, sgd_step and gradcheck."""
    graph = graph_of(net, training=True)
    inputs = inputs_of(graph)
    given = [value.name for value in inputs]
    by_key = {name: f'p["{text}"]' for name, text in names.items()}
    counts = {"count": "count"} if "count" in graph.values else {}
    own = _names(names)
    known = {**by_key, **{name: name for name in given}, **counts}
    body = Body(graph, own, known, f"len({given[0]})")
    body.names_of = names
    body.add(graph.nodes)
    result = body.view(graph.logits)
    updates = {names[name]: body.view(view) for name, view in graph.updates.items()}
    head = list(body.lines)
    before, body.lines = dict(body.texts), []
    body.texts |= {"dlogits": "dlogits"}
    body.add(graph.backward)
    text = "\n".join(body.lines)
    saved = [name for name in dict.fromkeys(before.values()) if name.isidentifier() and _used(name, text)]
    if given[0] not in saved and f"len({given[0]})" in text:
        saved.insert(0, given[0])
    signature = ", ".join(
        ["p: dict[str, Array]", *(f"{name}: Array" for name in given), *(["count: int = 1"] if counts else [])]
    )
    gradients = {names[n.removeprefix("d ")]: t for n, t in body.texts.items() if n.startswith("d ")}
    ends = [f"    saved = {{{', '.join(f'{chr(34)}{name}{chr(34)}: {name}' for name in saved)}}}"]
    if len(ends[0]) > 120:
        ends = exploded("saved = {", [f'"{name}": {name}' for name in saved], "}")
    if updates:
        ends += exploded("updates = {", [f'"{name}": {text}' for name, text in updates.items()], "}")
    ends.append(f"    return {result}, saved{', updates' if updates else ''}")
    kind = "tuple[Array, dict[str, Array], dict[str, Array]]" if updates else "tuple[Array, dict[str, Array]]"
    forward = [
        f"def forward({signature}) -> {kind}:",
        '    """The forward of training: logits, and what the backward needs."""',
    ]
    backward = [
        "def backward(p: dict[str, Array], saved: dict[str, Array], dlogits: Array) -> dict[str, Array]:",
        '    """The gradients of Σ dlogits·logits by the parameters."""',
        *(f'    {name} = saved["{name}"]' for name in saved),
        *body.lines,
        *exploded("return {", [f'"{name}": {text}' for name, text in gradients.items()], "}"),
    ]
    texts = ["\n".join([*forward, *head, *ends]), "\n".join(backward)]
    texts += [_sgd_step(given, bool(updates), bool(counts)), _gradcheck(net, graph, inputs, names)]
    return Part(texts, [*body.used, "softmax_cross_entropy", "worst_error"])


def _sgd_step(given: list[str], updates: bool, counts: bool) -> str:
    signature = ", ".join(f"{name}: Array" for name in given)
    count, counted = (", count: int = 1", ", count") if counts else ("", "")
    lines = [
        f"def sgd_step(p: dict[str, Array], {signature}, target: Array, lr: float{count}) -> float:",
        '    """One step of gradient descent on p, under softmax cross-entropy; the loss before it."""',
        f"    z, saved{', updates' if updates else ''} = forward(p, {', '.join(given)}{counted})",
        "    loss, dz = softmax_cross_entropy(z, target)",
        "    for name, gradient in backward(p, saved, dz).items():",
        "        p[name] = p[name] - lr * gradient",
        *(["    p.update(updates)"] if updates else []),
        "    return loss",
    ]
    return "\n".join(lines)


def _gradcheck(net: Network, graph: Graph, inputs: list[Value], names: dict[str, str]) -> str:
    drawn = []
    for value in inputs:
        shape = (3, *(int(extent) for extent in value.shape[1:]))
        index = value.dtype[0] in "iu" or _is_index(net, value.name)
        drawn.append(f"rng.integers(0, {rows_of(graph, value)}, {shape})" if index else f"rng.normal(size={shape})")
    everything = "PARAMETERS | BUFFERS" if net.buffers.segments else "PARAMETERS"
    everything = f"({everything})" if "|" in everything else everything
    return "\n".join(
        [
            "def gradcheck() -> float:",
            '    """Hold the backward against differences of the forward, in float64; the worst relative error."""',
            "    rng = np.random.default_rng(0)",
            f"    p = {{name: array.astype(np.float64) for name, array in {everything}.items()}}",
            f"    x = {tuple_of(drawn)}",
            "    worst = worst_error(forward, backward, p, tuple(PARAMETERS), x)",
            "    if not worst <= 1e-5:",
            '        raise ArithmeticError(f"a gradient is wrong: relative error {worst:.1e}")',
            "    return worst",
        ]
    )


def shape_text(shape: tuple[int, ...]) -> str:
    """(N, 784)"""
    return f"({', '.join(map(repr, shape))}{',' if len(shape) == 1 else ''})"


def _used(name: str, text: str) -> bool:
    from .text import names_in

    return name in names_in("def f():\n" + text) if text else False


def _names(stored: dict[str, str]) -> Names:
    names = Names()
    names.taken |= {*stored.values(), "PARAMETERS", "BUFFERS"}
    return names


def _is_index(net: Network, name: str) -> bool:
    kind = net.in_kind
    return bool((getattr(kind, name) if isinstance(kind, tuple) else kind) == "index")
