"""ONNX models: every layer's passes the checker and computes in ONNX Runtime what the reference does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scratchnet import Conv2d, Dense, Embedding, Flatten, MaxPool2d, Network, ReLU, layers
from scratchnet.check.strategies import networks
from scratchnet.core.case import RandomDraw
from scratchnet.core.layer import LAYERS
from scratchnet.core.types import named_leaves
from scratchnet.export.errors import ExportError
from scratchnet.export.onnx import onnx

from .modules import inputs, network

checker = pytest.importorskip("onnx.checker")
runtime = pytest.importorskip("onnxruntime")

NAMES = sorted({*layers.__all__, "DenseReLU", "ConvReLUPool"} & set(LAYERS))
SEEDS = range(8)


def session(model: Any) -> Any:
    """In ONNX Runtime, on one thread."""
    checker.check_model(model, full_check=True)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def run(model: Any, x: Any) -> np.ndarray:
    """Its logits."""
    given = {name.removeprefix("x."): leaf for name, leaf in named_leaves("x", x).items()}
    return session(model).run(["logits"], given)[0]


def agree(net: Network, x: Any, model: Any) -> None:
    """Within 1e-5 of the largest logit, of the same shape and class."""
    want, got = net.predict(x), run(model, x)
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    scale = max(float(np.abs(want).max(initial=0)), 1e-30)
    assert float(np.abs(got - want).max(initial=0)) <= 1e-5 * scale


@pytest.mark.parametrize("name", NAMES)
def test_a_model_computes_what_the_network_does(name: str) -> None:
    """For numbers of samples that it was not made with; its arrays are the network's."""
    for seed in SEEDS:
        case = LAYERS[name].cases(RandomDraw(np.random.default_rng(seed)))
        net = network(case)
        model = onnx(net)
        for n in (1, 3):
            agree(net, inputs(case, net, n), model)
        names = [node.name for node in model.graph.node]
        assert len(set(names)) == len(names)
        assert {initializer.name for initializer in model.graph.initializer} == set(net.views)


@given(networks(), st.integers(0, 99))
@settings(max_examples=40)
def test_drawn_networks_agree(case: Any, seed: int) -> None:
    net = network(case, seed=seed)
    agree(net, inputs(case, net), onnx(net))
