"""A description brings the network back, and a text that is none does nothing but raise."""

import json
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scratchnet.check.strategies import HypothesisDraw, networks
from scratchnet.checkpoint import CheckpointError, build, describe, layer_from_source
from scratchnet.core import LAYERS, ConfigError, Network, ScratchnetError, Sequential
from scratchnet.layers import Conv2d, Dense, MultiHeadAttention, QueryMemory, ReLU, Reshape
from tests.checkpoint.hostile import HOSTILE


def same(one: Network, other: Network) -> None:
    assert one.body == other.body
    assert (one.input_shape, type(one.input_shape)) == (other.input_shape, type(other.input_shape))
    assert (one.seed, one.dtype, one.fuse) == (other.seed, other.dtype, other.fuse)
    assert one.parameters.ties == other.parameters.ties
    assert one.views.keys() == other.views.keys()
    for name, view in one.views.items():
        assert np.array_equal(view, other.views[name]), name


def through_json(net: Network) -> Network:
    return build(json.loads(json.dumps(describe(net))), backend="reference")


@pytest.mark.parametrize("name", sorted(LAYERS))
@given(data=st.data())
@settings(max_examples=20)
def test_every_layer_comes_back(name, data):
    case = LAYERS[name].cases(HypothesisDraw(data))
    net = Network([case.layer], case.in_shape, seed=3, backend="reference", dtype="float64", fuse=False)
    same(through_json(net), net)


@given(case=networks())
def test_networks_come_back(case):
    net = Network(case.layer, case.in_shape, backend="reference")
    same(through_json(net), net)


def test_structured_inputs_and_ties():
    net = Network([MultiHeadAttention(2)], QueryMemory(query=(3, 4), memory=(5, 4)), backend="reference")
    again = through_json(net)
    same(again, net)
    assert isinstance(again.input_shape, QueryMemory)
    tied = Network([Dense(4), ReLU(), Dense(4)], (4,), ties={"2.W": "0.W"}, backend="reference")
    again = through_json(tied)
    same(again, tied)
    assert again.views["2.W"] is not again.views["0.W"]
    assert np.shares_memory(again.views["2.W"], again.views["0.W"])


def test_whole_numbers_of_numpy_are_settings_too():
    net = Network([Dense(np.int64(3)), Reshape(3, 1)], (2,), backend="reference")
    same(through_json(net), net)


def test_what_a_source_cannot_tell_is_refused_by_name():
    def mine(rng, shape):
        return np.zeros(shape)

    net = Network([ReLU(), Dense(3, init=mine)], (2,), backend="reference")
    with pytest.raises(CheckpointError, match=r"cannot be told by its source") as refused:
        describe(net)
    assert refused.value.where.startswith("Dense(3")
    with pytest.raises(CheckpointError, match="element type"):
        describe(Network([Dense(2)], (2,), dtype="complex128", backend="reference"))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_do_nothing(text):
    with pytest.raises(CheckpointError):
        layer_from_source(text)


@given(text=st.text(alphabet="Dense(R)LU,=[]-'\"_.:0123456789e #\\\n{}*@lambdfrt", max_size=60))
@settings(max_examples=300)
def test_drawn_texts_make_a_layer_or_raise(text):
    try:
        layer_from_source(text)
    except ScratchnetError:
        return


@given(case=networks(), data=st.data())
def test_an_altered_source_makes_a_layer_or_raises(case, data):
    text = repr(case.layer)
    at, new = data.draw(st.integers(0, len(text) - 1)), data.draw(st.sampled_from("()[]=,-'\"1e9. aD_\0é"))
    try:
        layer_from_source(text[:at] + new + text[at + 1 :])
    except ScratchnetError:
        return


def test_settings_without_meaning_are_the_layers_to_refuse():
    with pytest.raises(ConfigError):
        layer_from_source("Dense(-3)")
    with pytest.raises(CheckpointError, match="does not take these settings"):
        layer_from_source("Dense(3, size=4)")
    with pytest.raises(CheckpointError, match="there is no layer Missing"):
        layer_from_source("Sequential(Missing(3))")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("layers", "Dense(3)"),
        ("layers", [3]),
        ("layers", None),
        ("input_shape", [-1]),
        ("input_shape", [2.0]),
        ("input_shape", "ab"),
        ("input_shape", {"QueryMemory": [3]}),
        ("input_shape", {"Other": {"query": [3]}}),
        ("seed", -1),
        ("seed", "0"),
        ("seed", True),
        ("dtype", "object"),
        ("dtype", ["float32"]),
        ("ties", {"0.W": 3}),
        ("ties", []),
        ("fuse", 1),
    ],
)
def test_a_description_that_is_none(field, value):
    net = Network([Dense(3)], (2,), backend="reference")
    with pytest.raises(CheckpointError):
        build({**describe(net), field: value}, backend="reference")
    without = describe(net)
    del without[field]
    with pytest.raises(CheckpointError):
        build(without, backend="reference")


def test_a_network_that_cannot_be_built():
    description = describe(Network([Dense(3)], (2,), backend="reference"))
    for text in ("Dense(3, init=HeNormal(gain='x'))", f"Dense({10**30})", "Dense('x')"):
        with pytest.raises(ScratchnetError):
            build({**description, "layers": [text]}, backend="reference")


def test_a_structure_that_no_layer_declares():
    class Pair(NamedTuple):
        a: tuple[int, ...]
        b: tuple[int, ...]

    assert Pair  # a type of the same form, which no layer names
    description = describe(Network([Conv2d(2, 1)], (1, 2, 2), backend="reference"))
    with pytest.raises(CheckpointError, match="no shape"):
        build({**description, "input_shape": {"Pair": {"a": [1], "b": [1]}}}, backend="reference")


def test_sequentials_within():
    net = Network(Sequential(Sequential(Dense(3), ReLU()), Dense(2)), (4,), backend="reference")
    same(through_json(net), net)
