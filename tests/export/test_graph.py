"""Graphs: every layer's forward and backward, evaluated from its graph by NumPy's means, equals the network's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from scratchnet import Conv2d, Dense, Dropout, Flatten, Network, Parallel, ReLU, Sequential
from scratchnet.core.case import RandomDraw
from scratchnet.core.layer import LAYERS
from scratchnet.core.types import map_leaves, named_leaves
from scratchnet.export.graph import Graph, Node, PerSample, View
from scratchnet.export.trace import graph_of
from scratchnet_kernels import OPS

SEEDS = range(6)


def number(extent: int, n: int) -> int:
    return int(extent) * n if isinstance(extent, PerSample) else extent


def shape_of(shape: tuple[int, ...], n: int) -> tuple[int, ...]:
    return tuple(number(extent, n) for extent in shape)


def look(view: View, values: Mapping[str, np.ndarray], n: int) -> np.ndarray:
    """A view by its own recipe."""
    whole = values[view.of].reshape(shape_of(view.grid, n))
    part = whole[tuple(slice(number(a, n), number(b, n)) for a, b in view.take)]
    seen = part.transpose(view.order).reshape(shape_of(view.shape, n))
    return seen


def execute(graph: Graph, nodes: tuple[Node, ...], values: dict[str, Any], n: int) -> None:
    """The nodes on the reference's ops."""
    for node in nodes:
        given = {k: look(v, values, n) if isinstance(v, View) else v for k, v in node.given.items()}
        if node.op == "concat":
            axis = given.pop("axis")
            values[node.out["y"].of] = np.concatenate(list(given.values()), axis)
            continue
        op = OPS[node.op]
        writes: dict[str, Any] = dict.fromkeys(op.writes)
        for name, view in {**node.out, **node.adds}.items():
            value = graph.values[view.of]
            if view.of not in values or name in node.out:
                values[view.of] = np.zeros(shape_of(value.shape, n), value.dtype)
            writes[name] = look(view, values, n)
            assert np.shares_memory(writes[name], values[view.of]), "results are written through a view"
        for name, view in node.unread.items():
            writes[name] = np.zeros(shape_of(view.shape, n), view_dtype(op, name, graph))
        arguments = {**given, **writes}
        op.reference(*[arguments[name] for name in op.parameters])


def view_dtype(op: Any, name: str, graph: Graph) -> Any:
    """Of an output that nobody reads: what the op declares, else that of the network."""
    kind = op.kinds.get(name)
    return {None: "float64", "any": "float64", "int": "int64"}.get(kind, kind)


def inputs(case: Any, net: Network, n: int) -> Any:
    """x for a case: small whole numbers, or normal."""
    rng = np.random.default_rng(0)

    def leaf(shape: tuple[int, ...], kind: str) -> np.ndarray:
        if kind == "index":
            return rng.integers(0, case.index_below, (n, *shape))
        return rng.normal(size=(n, *shape)).astype(net.dtype)

    return map_leaves(leaf, net.input_shape, net.in_kind)


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_a_graph_computes_what_the_network_does(name: str) -> None:
    """Forward, gradients and dx of every layer, for a number of samples it was not recorded with."""
    n = 4
    for seed in SEEDS:
        case = LAYERS[name].cases(RandomDraw(np.random.default_rng(seed)))
        if case.side or case.masks:
            continue
        net = Network(case.layer, case.in_shape, backend="reference", dtype="float64", fuse=False)
        x = inputs(case, net, n)
        leaves = {k.removeprefix("x."): v for k, v in named_leaves("x", x).items()}
        stored = {**net.parameters.views, **net.buffers.views}
        graph = graph_of(net)
        values = {**stored, **leaves}
        execute(graph, graph.nodes, values, n)
        np.testing.assert_array_equal(look(graph.logits, values, n), net.predict(x))

        graph = graph_of(net, training=True, need_dx=True)
        before = net.buffers.snapshot()
        logits, tape = net.forward(x, training=True)
        dlogits = np.random.default_rng(1).normal(size=logits.shape)
        net.zero_grad()
        dx = net.backward(dlogits, tape, need_dx=True)
        values = {**stored, **before, **leaves, "count": net.count, "dlogits": dlogits}
        execute(graph, (*graph.nodes, *graph.backward), values, n)
        np.testing.assert_array_equal(look(graph.logits, values, n), logits)
        for key, gradient in net.gradients.views.items():
            if f"d {key}" in values:
                np.testing.assert_array_equal(values[f"d {key}"], gradient)
        for key, view in graph.updates.items():
            np.testing.assert_array_equal(look(view, values, n), net.buffers.views[key])
        seen = named_leaves("dx", graph.dx)
        for key, want in named_leaves("dx", dx).items():
            if want is not None:
                np.testing.assert_array_equal(look(seen[key], values, n), want)


def test_extents_grow_with_the_samples_or_do_not() -> None:
    net = Network([Conv2d(2, 3), ReLU(), Flatten(), Dense(3)], (1, 5, 6), backend="reference")
    graph = graph_of(net)
    assert [node.op for node in graph.nodes] == ["conv2d", "relu", "dense"]
    assert repr(graph.values["x"].shape) == "(N, 1, 5, 6)"
    assert repr(graph.values[graph.logits.of].shape) == "(N, 3)"
    assert "count" not in graph.values


def test_branches_side_by_side_are_a_concat() -> None:
    net = Network(Parallel(Dense(3), Sequential(ReLU(), Dense(2))), (5,), backend="reference")
    assert [node.op for node in graph_of(net).nodes] == ["dense", "relu", "dense", "concat"]


def test_what_nobody_reads_is_left_out() -> None:
    net = Network([Dense(3), Dropout(0.5)], (5,), backend="reference")
    assert [node.op for node in graph_of(net).nodes] == ["dense"]
    trained = graph_of(net, training=True)
    assert trained.ops == ("dense", "dropout", "dropout_backward", "dense_backward")
    assert "count" in trained.values
