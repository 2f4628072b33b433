"""A dense network as the text of one Lean 4 file: a matrix literal a layer, and a structure that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..about import ARCHITECTURE, About, Fact, architecture_lines
from ..c_source.emit import stored
from ..errors import ExportError
from ..graph import Graph, Node, View
from ..saving import save
from ..trace import graph_of
from .text import TYPES, functions, matrix, name_of, needed, number

if TYPE_CHECKING:
    from scratchnet.core.network import Network

FIRST = "A network that was trained with scratchnet, in Lean 4. It needs Lean's core library alone."
NAMESPACE = "Scratchnet"

ACTIVATIONS: dict[str, tuple[str, ...]] = {
    "relu": ("relu",),
    "leaky_relu": ("leakyRelu", "slope"),
    "elu": ("elu", "alpha"),
    "sigmoid": ("sigmoid",),
    "tanh": ("hyperbolicTangent",),
    "gelu_tanh": ("geluTanh",),
    "silu": ("silu",),
    "softplus": ("softplus", "beta", "threshold"),
    "square": ("square",),
    "softmax": ("softmax",),
    "log_softmax": ("logSoftmax",),
}
"""By op: the function, and the op's settings that it takes."""


def lean(net: Network, path: str | Path | None = None, *, facts: Mapping[str, Fact] | None = None) -> str:
    """A network of Dense layers and activations as one Lean 4 file; written to `path`, if one is given.

    The file defines `model`, which holds every layer's matrix, `logits` and `predict`. float32 becomes `Float32` (which
    Lean has since 4.16), float64 `Float`. It has been parsed by `scratchnet.export.lean_source.grammar`, not by Lean.

    Args:
        net: the network.
        path: where to write it; a file that is there is replaced in one step.
        facts: what is known of the training, for the comment at the top (see `scratchnet.export.about`).

    Raises:
        ExportError: for a layer other than Dense, activations and Flatten; numbers that are not finite, or neither
            float32 nor float64; a path that cannot be written.
    """
    arrays, about, graph = stored(net), About.of(net, facts), graph_of(net)
    real = TYPES[net.dtype.name]
    steps, used, layers = _steps(net, graph)
    head = ["/-!", FIRST, "", *about.lines]
    head += [f"{name} is {other}" for name, other in sorted(net.parameters.ties.items())]
    head += ["", ARCHITECTURE, "", *architecture_lines(net)]
    text = [*head, "-/", "", f"namespace {NAMESPACE}"]
    for function in needed([*used, "argmax"]):
        text += ["", *functions()[function].replace("Float32", real).splitlines()]
    for name, values in arrays.items():
        text += ["", *matrix(name, values)]
    text += ["", "/-- The layers that hold numbers. -/", "structure Model where"]
    text += [f"  {layer} : {kind}" for layer, (kind, _) in layers.items()]
    held = [f"{layer} := {{ {fields} }}" for layer, (_, fields) in layers.items()]
    text += ["", "/-- What training found. -/", "def model : Model :=", "  {"]
    text += [f"    {line}{',' if at < len(held) - 1 else ''}" for at, line in enumerate(held)]
    text += ["  }", "", "/-- The logits of a sample. -/", f"def logits (x : Array {real}) : Array {real} :=", *steps]
    text += ["", "/-- The class with the greatest logit. -/", f"def predict (x : Array {real}) : Nat :="]
    text += ["  argmax (logits x)", "", f"end {NAMESPACE}"]
    whole = "\n".join(text) + "\n"
    if path is not None:
        save(whole.encode(), path)
    return whole


def _steps(net: Network, graph: Graph) -> tuple[list[str], list[str], dict[str, tuple[str, str]]]:
    """The lines of `logits`; the functions they use; and the layers that hold numbers, with their kind and fields."""
    steps: list[str] = []
    used: dict[str, None] = {}
    layers: dict[str, tuple[str, str]] = {}
    for node in graph.nodes:
        x, y = _row(node, node.given.get("x")), _row(node, node.out.get("y"))
        if node.op == "dense":
            kind = "Linear" if node.given["b"] is None else "Dense"
            layer = "layer" + node.path.replace(".", "_")
            names = {field: node.given[field] for field in ("W", "b") if node.given[field] is not None}
            layers[layer] = kind, ", ".join(f"{field} := {name_of(view.of)}" for field, view in names.items())
            used[f"{kind}.apply"] = None
            call = f"model.{layer}.apply {x}"
        elif node.op in ACTIVATIONS:
            function, *settings = ACTIVATIONS[node.op]
            used[function] = None
            values = [number(np.asarray(node.given[setting], net.dtype)) for setting in settings]
            call = " ".join([function, *values, x])
        else:
            raise _cannot(node)
        steps.append(f"  let {y} := {call}")
    result = graph.logits
    if not layers or result.shape[0] != 1 or not result.plain or len(net.output_shape) != 1:
        raise ExportError("Lean source is of a network of Dense layers that ends in one row of numbers")
    return [*steps, f"  {result.of}"], list(used), layers


def _row(node: Node, view: object) -> str:
    """The name of a value that is one row of numbers for one sample."""
    if not isinstance(view, View) or not view.plain or sum(int(extent) > 1 for extent in view.shape) > 1:
        raise _cannot(node)
    return view.of


def _cannot(node: Node) -> ExportError:
    return ExportError(
        f"Lean source has no form of the op {node.op} here",
        where=f"layer {node.path}",
        expected="Dense, an activation or Flatten, one row of numbers a sample",
        hint="export to python or c",
    )
