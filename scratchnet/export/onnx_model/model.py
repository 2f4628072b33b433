"""A network as an ONNX model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet.checkpoint.digest import little

from ..about import ENDS, Fact, metadata_of
from ..errors import ExportError
from ..graph import Graph, PerSample, View
from ..optional import missing
from ..saving import save
from ..trace import graph_of

if TYPE_CHECKING:
    from scratchnet.core.network import Network
    from scratchnet.core.types import Array

    from .writer import Writer

OPSET, IR_VERSION = 17, 8
"""Pinned: ONNX Runtime refuses models of versions that are newer than it is, so what is written is not the newest."""

LARGEST = (1 << 31) - 1  # bytes of a protobuf message
TIES = "scratchnet.ties"  # the metadata key of names that stand for another parameter's numbers


def onnx(net: Network, path: str | Path | None = None, *, facts: Mapping[str, Fact] | None = None) -> Any:
    """The network's evaluation as an ONNX model (onnx.ModelProto); written to `path`, if one is given.

    It takes a batch of any size: "x", or the names of the NamedTuple that the network takes; it puts out "logits". Its
    initializers are the parameters and buffers by their own names. The same network and facts give the same bytes.

    Args:
        net: the network, in float32.
        path: where to write it; a file that is there is replaced in one step.
        facts: what is known of the training, for the metadata (see `scratchnet.export.about`).

    Raises:
        MissingPackageError: where the package onnx is not installed.
        ExportError: for an op that ONNX has no form of here, numbers that are not finite or no float32, a model beyond
            protobuf's 2 GiB, and a path that cannot be written.
    """
    try:
        import onnx.helper as make
    except ImportError as error:
        raise missing("an ONNX model", "onnx") from error
    from .writer import Writer

    stored = _stored(net)
    graph, writer = graph_of(net), Writer()
    inputs = [value for value in graph.values.values() if value.kind == "input"]
    for value in graph.values.values():
        if value.kind != "made":
            writer.names[value.name], writer.shapes[value.name] = value.name, value.shape
    _write(graph, writer)
    writer.path = "network"
    result = writer.look(graph.logits)
    writer.nodes.append(make.make_node("Identity", [result], ["logits"], name="logits"))
    made = make.make_graph(
        writer.nodes,
        "scratchnet",
        [_declared(value.name, value.dtype, value.shape) for value in inputs],
        [_declared("logits", net.dtype.name, graph.logits.shape)],
        [_initializer(name, array) for name, array in stored.items()],
    )
    told = metadata_of(net, facts)
    model = make.make_model(made, opset_imports=[make.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    model.producer_name, model.producer_version = "scratchnet", told[ENDS[1]]
    make.set_model_props(model, told | ({TIES: json.dumps(net.parameters.ties)} if net.parameters.ties else {}))
    if path is not None:
        save(model.SerializeToString(deterministic=True), path)
    return model


def _stored(net: Network) -> dict[str, Array]:
    """Parameters and buffers, tied ones once."""
    if net.dtype != np.float32:
        raise ExportError("ONNX models are written in float32", actual=net.dtype, hint='Network(..., dtype="float32")')
    found = {}
    for store in (net.parameters, net.buffers):
        for name in store.segments:
            found[name] = store.views[name]
            if not np.isfinite(found[name]).all():
                raise ExportError(
                    "a number is not finite", where=name, hint="train anew, or keep the network as a checkpoint"
                )
    if sum(array.nbytes for array in found.values()) > LARGEST - (1 << 24):  # 16 MiB for all that is no array
        raise ExportError("the network is too large for an ONNX file", expected=f"at most {LARGEST:,} bytes")
    return found


def _write(graph: Graph, writer: Writer) -> None:
    """The ops one by one."""
    from .ops import OPERATORS

    for node in graph.nodes:
        if node.op not in OPERATORS or list(node.out) != ["y"]:
            raise ExportError(
                f"ONNX has no form of the op {node.op} here",
                where=f"layer {node.path}",
                expected=", ".join(sorted(OPERATORS)),
                hint="export it to Python source instead",
            )
        writer.node, writer.path = node, node.path
        given = {name: writer.look(v) if isinstance(v, View) else v for name, v in node.given.items()}
        view = node.out["y"]
        writer.put(view, OPERATORS[node.op](writer, **given), graph.values[view.of].shape)


def _declared(name: str, dtype: str, shape: tuple[int, ...]) -> Any:
    """An input or output; the samples are N."""
    import onnx.helper as make

    kind = make.np_dtype_to_tensor_dtype(np.dtype(dtype))
    extents = ["N" if isinstance(extent, PerSample) else extent for extent in shape]
    return make.make_tensor_value_info(name, kind, extents)


def _initializer(name: str, array: Array) -> Any:
    from onnx.numpy_helper import from_array

    return from_array(little(array), name)
