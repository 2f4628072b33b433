"""The emitted module of a step: readable, kept in a file that is never trusted, and its own cores right."""

import os
import py_compile
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from scratchnet import SGD, Dense, Network, ReLU, SoftmaxCrossEntropy
from scratchnet_kernels import OPS
from scratchnet_kernels.cpu import _cache
from scratchnet_kernels.cpu.step import Model, NotEmittedError, Operation, View, build, emit
from scratchnet_kernels.cpu.step.build import digest, folder


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(_cache.config, "CACHE_DIR", str(tmp_path))
    yield tmp_path / "steps"
    for name in [name for name in sys.modules if name.startswith("scratchnet_step_")]:
        del sys.modules[name]


def compiled(size=3, opt=SGD(lr=0.1)):  # noqa: B008
    net = Network([Dense(4), ReLU(), Dense(2)], input_shape=(5,), seed=0)
    return net, net.compile(SoftmaxCrossEntropy(), opt, batch_size=size)


def trained(net, step):
    rng = np.random.default_rng(0)
    step.run(rng.normal(size=(12, 5)).astype("float32"), rng.integers(0, 2, 12))
    return net.parameters.flat.copy()


def test_the_source_names_layers_and_says_what_they_compute(place):
    _, step = compiled()
    assert Path(step.path).parent == place == folder()
    assert Path(step.path).read_text() == step.source
    for words in ("# 0: Dense(4)", "# y = x Wᵀ + b: (3, 5) -> (3, 4)", "# backward", "W2 = parameters[", "SGD(lr, mom"):
        assert words in step.source


def test_one_network_gives_one_source_and_another_another(place):
    assert compiled()[1].path == compiled()[1].path
    paths = {compiled(3)[1].path, compiled(4)[1].path, compiled(3, SGD(lr=0.1, momentum=0.5))[1].path}
    assert len(paths) == 3
    assert compiled(3, SGD(lr=0.2))[1].path in paths  # what every step is given is compiled into none


@pytest.mark.skipif(not find_spec("ruff"), reason="runs where ruff is installed")
@pytest.mark.parametrize("opt", [SGD(lr=0.1), SGD(lr=0.1, momentum=0.9)])
def test_the_source_is_formatted(place, opt):
    source = compiled(256, opt)[1].source
    command = [sys.executable, "-m", "ruff", "format", "--line-length", "120", "--stdin-filename", "step.py", "-"]
    formatted = subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout
    assert formatted == source


def test_a_file_that_was_tampered_with_is_not_run_but_written_anew(place):
    net, step = compiled()
    expected, path, source = trained(net, step), Path(step.path), step.source
    for tampered in ("raise SystemExit('tampered')\n", source.replace("-lr", "+lr") + "# more\n", "\x00"):
        path.write_text(tampered)
        for name in [name for name in sys.modules if name.startswith("scratchnet_step_")]:
            del sys.modules[name]
        net, step = compiled()
        assert path.read_text() == source
        np.testing.assert_array_equal(trained(net, step), expected)
    assert not list(place.glob("*.tmp"))


def test_a_file_that_changes_behind_the_check_is_not_run(place, monkeypatch):
    tampered = "raise SystemExit('tampered')"
    monkeypatch.setattr(sys.modules[build.__module__], "_keep", lambda text, path: path.write_text(tampered))
    net, step = compiled()
    assert Path(step.path).read_text() == tampered
    assert np.isfinite(trained(net, step)).all()


def test_a_planted_bytecode_file_is_not_run(place):
    _, step = compiled()
    evil, path = place / "evil.py", Path(step.path)
    evil.write_text("raise SystemExit('planted')\n")
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(evil), str(_pyc(path)), invalidation_mode=mode)
    del sys.modules[path.stem]
    trained(*compiled())


def _pyc(path):
    return path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc"


def test_the_name_depends_on_the_text_and_on_numbas_version(monkeypatch):
    name = digest("a")
    assert digest("b") != name
    module = sys.modules[digest.__module__]
    monkeypatch.setattr(module.numba, "__version__", "0.0")
    assert digest("a") != name
    monkeypatch.undo()
    monkeypatch.setattr(module, "sources", lambda: "other kernels")
    assert digest("a") != name


CODE = """
import sys
from tests.kernels.test_step import compiled, trained
net, step = compiled()
trained(net, step)
stats = step._kernel._run.stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""


def test_what_was_compiled_is_found_by_the_next_process(tmp_path):
    env = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": os.pathsep.join([".", *sys.path])}
    told = []
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", CODE], env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        told.append(done.stdout.split())
    assert told == [["0", "1"], ["1", "0"]]


def test_an_op_without_an_emitter_is_refused_by_name():
    x, t = View("memory", 0, (2, 3)), View("labels", 0, (2,))
    step = (Operation("dropout_backward", (None,) * len(OPS["dropout_backward"].parameters), "4", "Dropout(0.5)", 0),)
    model = Model(("Dropout(0.5)",), 2, "float32", x, t, 6, (), {}, step, (), (), ())
    with pytest.raises(NotEmittedError, match="dropout") as refused:
        emit(model)
    assert refused.value.where == "layer 4, Dropout(0.5)"
