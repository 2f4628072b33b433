"""Emitted Python: every layer's module computes what the network does, proves its backward, and reads back."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scratchnet import (
    BatchNorm1d,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Network,
    ReLU,
    RMSNorm,
    Softmax,
    SoftmaxCrossEntropy,
    layers,
)
from scratchnet.core.case import RandomDraw
from scratchnet.core.layer import LAYERS
from scratchnet.core.sequential import Sequential
from scratchnet.export import load_source, python
from scratchnet.export.errors import ExportError

from .modules import agree_on_gradients, inputs, leaves, namespace, network, segments

SEEDS = range(8)
NAMES = sorted(set(LAYERS) & set(layers.__all__))  # without the fused ones, which stand for plain ones in a run


def case_of(name: str, seed: int):
    return LAYERS[name].cases(RandomDraw(np.random.default_rng(seed)))


@pytest.mark.parametrize("name", NAMES)
def test_a_module_computes_what_the_network_does(name: str, tmp_path: Path) -> None:
    """To the bit in float32, but for erf; and load_source brings the network back, bit for bit."""
    for seed in SEEDS:
        case = case_of(name, seed)
        net = network(case)
        x = inputs(case, net)
        want = net.predict(x)
        for style in ("literal", "packed"):
            path = tmp_path / f"{style}.py"
            module = namespace(python(net, path, style=style, facts={"epochs": seed}))
            got = module["logits"](*leaves(x))
            assert got.dtype == want.dtype
            if "erf" in module:
                np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
            else:
                np.testing.assert_array_equal(got, want)
            loaded = load_source(path, backend="reference")
            assert loaded.verified
            assert loaded.facts == {"epochs": seed}
            np.testing.assert_array_equal(loaded.network.predict(x), want)
            assert python(loaded.network, style=style, facts=loaded.facts) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_backward_is_the_networks_own(name: str) -> None:
    """Gradients in float64, and the running statistics."""
    for seed in SEEDS:
        case = case_of(name, seed)
        net = network(case, "float64")
        if not net.parameters.segments and case.in_shape:
            net = network(replace(case, layer=Sequential(RMSNorm(), case.layer)), "float64")
        if not net.parameters.segments:  # one number a sample, in a layer without weights
            continue
        agree_on_gradients(net, inputs(case, net))


LESSON = [Dense(7), BatchNorm1d(), ReLU(), Dropout(0.2), Dense(4)]


def test_gradcheck_proves_the_lesson(capsys: pytest.CaptureFixture[str]) -> None:
    text = python(Network(LESSON, (5,), backend="reference"), with_backward=True)
    module = namespace(text)
    assert 0 < module["gradcheck"]() < 1e-5
    assert "W0: relative error" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("right", "wrong", "what"),
    [
        ("dy.sum(0)  # (N, I)", "dy.sum(0) * 1.001  # (N, I)", "a gradient is wrong"),
        ("np.where(y > 0, dy, 0)", "dy", "a gradient is wrong"),
        ('        "W0": dW0,\n', "", "no gradient reaches W0"),
        ('        "b4": db4,\n', '        "b4": 0 * db4,\n', "no gradient reaches b4"),
        ("- xhat * mean_of(wide * xhat, axes))", ")", "a gradient is wrong"),
    ],
)
def test_gradcheck_sees_what_is_wrong(right: str, wrong: str, what: str) -> None:
    text = python(Network(LESSON, (5,), backend="reference"), with_backward=True)
    assert right in text
    with pytest.raises(ArithmeticError, match=what):
        namespace(text.replace(right, wrong))["gradcheck"]()


def test_a_step_of_sgd_is_the_engines() -> None:
    net = Network(LESSON[:2] + LESSON[2:3] + LESSON[4:], (5,), backend="reference", dtype="float64")
    module = namespace(python(net, with_backward=True))
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(6, 5)), rng.integers(0, 4, 6)
    p = module["PARAMETERS"] | module["BUFFERS"]
    for _ in range(3):
        loss = module["sgd_step"](p, x, target, 0.1)
        logits, tape = net.forward(x, training=True)
        value, dlogits = SoftmaxCrossEntropy()(logits, target, tape)
        net.zero_grad()
        net.backward(dlogits, tape)
        for name in net.parameters.views:
            net.parameters.views[name] -= 0.1 * net.gradients.views[name]
        net.parameters.version += 1
        assert loss == pytest.approx(float(value), rel=1e-12)
    for (_, array), key in zip(segments(net.parameters) + segments(net.buffers), p, strict=True):
        np.testing.assert_allclose(p[key], array, rtol=1e-11, atol=1e-13)


def test_a_module_needs_numpy_alone(tmp_path: Path) -> None:
    net = Network([Dense(4), ReLU(), Dense(3)], (5,), backend="reference")
    path = tmp_path / "model.py"
    for style in ("literal", "packed"):
        python(net, path, style=style, with_backward=True)
        code = "import model; print(sorted({'scratchnet', 'scratchnet_kernels', 'scipy', 'numba'} & set(sys.modules)))"
        done = subprocess.run(
            [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == "[]\n"


def test_what_is_read_beside_numbers() -> None:
    """uint8 are pixels; pictures may come in another form; whole numbers and other shapes are refused."""
    net = Network([Flatten(), Dense(3)], (1, 4, 4), backend="reference")
    module = namespace(python(net))
    pixels = np.random.default_rng(0).integers(0, 256, (2, 4, 4), dtype=np.uint8)
    unit = pixels.astype(np.float32).reshape(2, 1, 4, 4) * np.float32(1 / 255)
    np.testing.assert_array_equal(module["logits"](pixels), net.predict(unit))
    raw = namespace(python(net, facts={"pixels": "raw"}))
    np.testing.assert_array_equal(raw["logits"](pixels), net.predict(pixels[:, None].astype(np.float32)))
    with pytest.raises(TypeError, match="int64"):
        module["logits"](pixels.astype(int))
    with pytest.raises(ValueError, match="expected \\(N, 1, 4, 4\\)"):
        module["logits"](pixels[:, :3])


def test_probabilities() -> None:
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    for stack in ([Dense(3)], [Dense(3), Softmax()]):
        module = namespace(python(Network(stack, (4,), backend="reference")))
        proba = module["predict_proba"](x)
        np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-6)
        np.testing.assert_array_equal(proba.argmax(axis=1), module["predict"](x))
    module = namespace(python(Network([Dense(1)], (4,), backend="reference")))
    np.testing.assert_array_equal(module["predict"](x), (module["logits"](x)[:, 0] > 0).astype(int))


def test_ties_are_written_once() -> None:
    net = Network([Dense(4), ReLU(), Dense(4)], (4,), ties={"2.W": "0.W"}, backend="reference")
    text = python(net, with_backward=True)
    assert "W2" not in text
    assert namespace(text)["gradcheck"]() < 1e-5


def test_same_network_same_bytes() -> None:
    texts = {
        python(Network(LESSON, (5,), seed=3, backend=b), facts={"lr": 0.1}) for b in ("reference", "cpu") for _ in "ab"
    }
    assert len(texts) == 1


def test_refusals(tmp_path: Path) -> None:
    net = Network([Dense(2)], (3,), backend="reference")
    with pytest.raises(ExportError, match="style"):
        python(net, style="pretty")  # type: ignore[arg-type]
    with pytest.raises(ExportError, match="cannot be written"):
        python(net, tmp_path)
    with pytest.raises(ExportError, match="cannot be written"):
        python(net, tmp_path / "nowhere" / "model.py")
    assert list(tmp_path.iterdir()) == []
    net.parameters.views["0.W"][0, 0] = np.nan
    for options in ({}, {"style": "packed"}, {"nonfinite": True}):
        with pytest.raises(ExportError, match="not finite"):
            python(net, **options)
    python(net, tmp_path / "model.py", style="packed", nonfinite=True)
    loaded = load_source(tmp_path / "model.py", backend="reference")
    assert np.isnan(loaded.network.parameters.views["0.W"][0, 0])
    with pytest.raises(ExportError, match="float16"):
        python(Network([Dense(2)], (3,), backend="reference", dtype="float16"))


def test_an_op_without_a_python_form_is_named() -> None:
    """Fused layers, say, written down by hand."""
    net = Network(
        [Dense(3), LAYERS["DenseReLU"].cases(RandomDraw(np.random.default_rng(0))).layer], (4,), backend="reference"
    )
    with pytest.raises(ExportError, match="dense_relu has no Python form") as error:
        python(net)
    assert "layer 1" in str(error.value)


def test_indices_out_of_range() -> None:
    module = namespace(python(Network([Embedding(5, 3), Flatten()], (4,), backend="reference")))
    with pytest.raises(IndexError, match=r"expected 0\.\.4"):
        module["logits"](np.array([[0, 1, 2, -1]]))
    with pytest.raises(TypeError, match="whole numbers"):
        module["logits"](np.zeros((1, 4)))


def test_a_stack_in_one_sequential() -> None:
    net = Network(Sequential(Dense(3), Sequential(Dense(2))), (4,), backend="reference")
    assert "W1_0" in python(net)
