"""The functions of emitted modules beside the ops of their names: the same bits, on every layer's own calls."""

from __future__ import annotations

import inspect
import math
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings

from scratchnet import Network, layers
from scratchnet.check.strategies import networks
from scratchnet.core.case import RandomDraw
from scratchnet.core.layer import LAYERS
from scratchnet.core.types import named_leaves
from scratchnet.export import load_source, python
from scratchnet.export.graph import View
from scratchnet.export.python_source.functions import FUNCTIONS
from scratchnet.export.python_source.text import source_of
from scratchnet.export.trace import graph_of
from scratchnet_kernels import OPS

from .modules import agree_on_gradients, inputs, leaves, namespace, network
from .test_graph import look, shape_of, view_dtype

NAMES = sorted(set(LAYERS) & set(layers.__all__))
ROUNDED = {"gelu", "gelu_backward"}  # the reference's erf is SciPy's


@pytest.mark.parametrize("name", NAMES)
def test_a_function_gives_the_bits_of_its_op(name: str) -> None:
    for seed in range(8):
        case = LAYERS[name].cases(RandomDraw(np.random.default_rng(seed)))
        net = network(case)
        graph = graph_of(net, training=True, need_dx=True)
        x = {k.removeprefix("x."): v for k, v in named_leaves("x", inputs(case, net, 4)).items()}
        n = 4
        values = {**net.parameters.views, **net.buffers.views, **x, "count": np.array([3])}
        logits = shape_of(graph.logits.shape, n)
        values["dlogits"] = np.random.default_rng(1).normal(size=logits).astype(net.dtype)
        for node in (*graph.nodes, *graph.backward):
            given = {k: look(v, values, n) if isinstance(v, View) else v for k, v in node.given.items()}
            if node.op == "concat":
                axis = given.pop("axis")
                values[node.out["y"].of] = np.concatenate(list(given.values()), axis)
                continue
            op, seen = OPS[node.op], {**node.out, **node.adds, **node.unread}
            writes = {}
            for argument, view in seen.items():
                value = graph.values.get(view.of)
                dtype = value.dtype if value else view_dtype(op, argument, graph)
                if value and (argument in node.out or view.of not in values):
                    values[view.of] = np.zeros(shape_of(value.shape, n), dtype)
                writes[argument] = look(view, values, n) if value else np.zeros(shape_of(view.shape, n), dtype)
            before = {k: array.copy() for k, array in writes.items()}
            arguments = {**given, **dict.fromkeys(op.writes), **writes}
            op.reference(*[arguments[k] for k in op.parameters])
            if node.op not in ("copy", "add"):
                compare(node.op, given, before, writes)


def compare(name: str, given: dict, before: dict, writes: dict) -> None:
    """The function called as the emitter calls it; an op's results without what it added to."""
    function, op = FUNCTIONS[name], OPS[name]
    sizes = {f"{k}_size": array.shape[2:] for k, array in writes.items()}
    sizes |= {f"{k}_rows": array.shape[0] for k, array in writes.items()}
    known = {**given, **sizes}
    if name == "dropout":
        known["count"] = int(given["count"][0])
    if name == "dropout_backward":
        known["seen"] = int(given["seen"][0])
    got = function(**{k: known[k] for k in inspect.signature(function).parameters if k in known})
    for argument, result in zip(op.writes, got if len(op.writes) > 1 else (got,), strict=True):
        if argument not in writes or argument == "seen":
            continue
        assert result.shape == writes[argument].shape
        assert result.dtype == writes[argument].dtype or result.dtype.kind == "i", (name, argument)
        want = writes[argument]
        if argument in op.adds and before[argument].any():  # of a part that something was added to before
            np.testing.assert_allclose(before[argument] + result, want, rtol=1e-5, atol=1e-5)
        elif name in ROUNDED:
            np.testing.assert_allclose(result, want, rtol=1e-5, atol=1e-6)
        else:
            np.testing.assert_array_equal(result, want, err_msg=f"{name}: {argument}")


def test_erf_is_good_to_the_rounding_of_float32() -> None:
    x = np.concatenate([np.linspace(-7, 7, 20001), [0.0, 1e-30, -1e-30, 1e5, -1e5, np.inf, -np.inf]])
    want = np.array([math.erf(v) for v in x])
    np.testing.assert_allclose(FUNCTIONS["erf"](x), want, rtol=0, atol=1e-12)
    assert np.isnan(FUNCTIONS["erf"](np.array([np.nan]))).all()


def test_every_function_has_its_formula_in_one_line() -> None:
    for name, function in FUNCTIONS.items():
        assert function.__doc__, name
        assert len(function.__doc__.split("\n")[0]) <= 110
        assert source_of(name)[0].startswith("def ")


@settings(deadline=None)
@given(case=networks())
def test_random_networks(case, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Emitted, run and read back: what the reference computes, to the bit; formatted as ruff formats."""
    assume("DenseReLU" not in repr(case.layer) and "ConvReLUPool" not in repr(case.layer))  # no layers to write down
    net = network(case)
    x, path = inputs(case, net), tmp_path_factory.mktemp("drawn") / "model.py"
    text = python(net, path, with_backward=True)
    module = namespace(text)
    want = net.predict(x)
    if "erf" in module:
        np.testing.assert_allclose(module["logits"](*leaves(x)), want, rtol=1e-5, atol=1e-5 * np.abs(want).max())
    else:
        np.testing.assert_array_equal(module["logits"](*leaves(x)), want)
    loaded = load_source(path, backend="reference")
    assert loaded.verified
    np.testing.assert_array_equal(loaded.network.predict(x), want)
    twin = network(case, "float64")
    agree_on_gradients(twin, inputs(case, twin))


def test_emitted_files_are_as_ruff_has_them(tmp_path: Path) -> None:
    """Every layer's cases, and drawn networks, under the project's own rules."""
    config, draws = Path(__file__).parents[2] / "pyproject.toml", range(4)
    for name in NAMES:
        for seed in draws:
            case = LAYERS[name].cases(RandomDraw(np.random.default_rng(seed)))
            net = Network(case.layer, case.in_shape, backend="reference", fuse=False)
            python(
                net,
                tmp_path / f"{name}{seed}.py",
                style=("literal", "packed")[seed % 2],
                with_backward=bool(net.parameters.segments),
            )
    for command in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        done = subprocess.run(["ruff", *command, "--config", config, tmp_path], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr
