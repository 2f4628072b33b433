"""The functions of an emitted module that are used: logits, predict_proba, predict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..about import Fact
from ..graph import Graph
from ..trace import graph_of
from .body import Body
from .lines import tuple_of
from .names import Names

if TYPE_CHECKING:
    from scratchnet.core.network import Network

LOGITS = '''def logits({signature}) -> Array:
    """What the network puts out: {shapes}."""
{lines}
    return {result}'''

PREDICT_PROBA = '''def predict_proba({signature}) -> Array:
    """{meaning}."""
    return {proba}'''

PREDICT = '''def predict({signature}) -> Array:
    """The class of each sample."""
    return {chosen}'''


@dataclass(frozen=True)
class Part:
    """Functions as text, and the names of the library functions that they use."""

    texts: list[str]
    used: list[str]


def stored_names(stored: Iterable[str]) -> dict[str, str]:
    """The identifiers of parameters and buffers."""
    names = Names()
    return {name: names.stored(name) for name in stored}


def local_names(stored: Mapping[str, str]) -> Names:
    """Identifiers within a function, none of them a parameter's."""
    names = Names()
    names.taken |= {*stored.values(), "PARAMETERS", "BUFFERS"}
    return names


def is_index(net: Network, name: str) -> bool:
    """Whether an input is of whole numbers."""
    kind = net.in_kind
    return bool((getattr(kind, name) if isinstance(kind, tuple) else kind) == "index")


def evaluation(net: Network, names: Mapping[str, str], facts: Mapping[str, Fact]) -> Part:
    """All three, for a network whose parameters and buffers have these identifiers."""
    graph = graph_of(net)
    given = [value.name for value in graph.inputs]
    scale = "1.0" if facts.get("pixels") == "raw" else "1 / 255"
    lines, readers = [], []
    for value in graph.inputs:
        shape = tuple_of([str(int(extent)) for extent in value.shape[1:]])
        arguments, reader = f'{shape}, "{net.dtype}", {scale}', "as_input"
        if is_index(net, value.name):
            arguments, reader = shape, "as_index"
        lines.append(f"    {value.name} = {reader}({value.name}, {arguments})")
        readers.append(reader)
    body = Body(graph, local_names(names), {**names, **{name: name for name in given}}, f"len({given[0]})", names)
    body.add(graph.nodes)
    result, signature = body.view(graph.logits), ", ".join(f"{name}: Array" for name in given)
    shapes = ", ".join(_shape(value.shape) for value in graph.inputs) + " -> " + _shape(graph.logits.shape)
    logits = LOGITS.format(signature=signature, shapes=shapes, lines="\n".join([*lines, *body.lines]), result=result)
    meaning, proba, chosen, used = _chances(graph, ", ".join(given))
    texts = [
        logits,
        PREDICT_PROBA.format(signature=signature, meaning=meaning, proba=proba),
        PREDICT.format(signature=signature, chosen=chosen),
    ]
    return Part(texts, [*readers, *body.used, *used])


def _chances(graph: Graph, given: str) -> tuple[str, str, str, list[str]]:
    """What predict_proba is, how it and predict come from the logits, and by which functions.

    One number a sample is the logit of class 1; a network that ends in probabilities needs nothing more.
    """
    last, axis = graph.nodes[-1].op if graph.nodes else "", len(graph.logits.shape) - 1
    logits = f"logits({given})"
    if graph.logits.shape[-1] == 1:
        proba, used = (logits, []) if last == "sigmoid" else (f"sigmoid({logits})", ["sigmoid"])
        return "The probability of class 1", proba, f"(predict_proba({given})[..., 0] > 0.5).astype(int)", used
    proba = f"softmax({logits})" if axis == 1 else f"softmax({logits}, axis={axis})"
    used = ["softmax"]
    if last in ("softmax", "log_softmax"):
        proba, used = {"softmax": logits, "log_softmax": f"np.exp({logits})"}[last], []
    return "The probabilities of the classes, along the last axis", proba, f"{logits}.argmax(axis=-1)", used


def _shape(shape: tuple[int, ...]) -> str:
    """(N, 784)"""
    return tuple_of(list(map(repr, shape)))
