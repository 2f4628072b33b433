"""Networks in C: they compile without a warning, and compute what the reference computes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from scratchnet import Network
from scratchnet.check.strategies import seeds
from scratchnet.check.wiring import draw_network
from scratchnet.core.case import RandomDraw
from scratchnet.core.layer import LAYERS

from .compiled import COMPILERS, apart, library, logits, needs_compiler, predict, samples

LIMIT = {"float32": 1e-5, "float64": 1e-13}


def cases_of_layers():
    """Every layer, some settings each."""
    for name in sorted(LAYERS):
        for seed in range(3):
            case = LAYERS[name].cases(RandomDraw(np.random.default_rng(seed)))
            if not case.side and not case.masks:
                yield f"{name}_{seed}", case


def network(case, dtype, seed=0):
    """On the reference, with running statistics that are not those of the beginning."""
    net = Network(case.layer, case.in_shape, backend="reference", dtype=dtype, fuse=False, seed=seed)
    rng = np.random.default_rng(seed)
    for values in net.views.values():
        values[...] = rng.uniform(0.5, 1.5, values.shape) * np.where(values < 0, -1, 1) * np.maximum(abs(values), 0.1)
    return net


@needs_compiler
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_layer_computes_what_the_reference_does(compiler, dtype, tmp_path):
    cases = dict(cases_of_layers())
    nets = {name: network(case, dtype) for name, case in cases.items()}
    lib = library(tmp_path, nets, "-O1", compiler=compiler)
    for name, net in nets.items():
        x = samples(net, 3, cases[name].index_below)
        assert apart(logits(lib, name, net, x), net.predict(x)) <= LIMIT[dtype], (name, cases[name].layer)


@needs_compiler
@settings(max_examples=4)
@given(seed=seeds())
def test_drawn_networks_compute_what_the_reference_does(seed, tmp_path_factory):
    draw = RandomDraw(np.random.default_rng(seed))
    cases = {f"net{n}": draw_network(draw, outputs=draw.integer(2, 6)) for n in range(8)}
    for dtype in ("float32", "float64"):
        nets = {name: network(case, dtype) for name, case in cases.items()}
        lib = library(tmp_path_factory.mktemp("c"), nets, "-O1")
        for name, net in nets.items():
            x = samples(net, 3, cases[name].index_below)
            wanted = net.predict(x)
            assert apart(logits(lib, name, net, x), wanted) <= LIMIT[dtype], cases[name].layer
            if dtype == "float64":
                assert predict(lib, name, net, x) == wanted.argmax(1).tolist()
