"""Event files are read by TensorBoard itself, through the pages that its server answers with."""

import json
import math
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib.util import find_spec
from urllib.parse import urlencode

import pytest

from scratchnet.check.optional import MissingPackageError
from scratchnet.train.history.records import (
    End,
    Epoch,
    Event,
    LayerLook,
    Look,
    Losses,
    Measured,
    OutputLook,
    ParameterLook,
)
from scratchnet.train.history.tensorboard import TensorBoard, scalars

WRITER = pytest.mark.skipif(find_spec("tensorboardX") is None, reason="needs tensorboardX: pip install .[tensorboard]")
SERVER = pytest.mark.skipif(find_spec("tensorboard") is None, reason="needs tensorboard: pip install tensorboard")
RUN = [
    Look(
        step=1,
        lr=0.1,
        outputs=OutputLook(entropy=2.25),
        parameters={"0.W": ParameterLook(gradient=4.0, weight=8.0, update=0.5), "0.b": ParameterLook(weight=0.0)},
        layers=(LayerLook(path="1", dead=0.25),),
    ),
    Losses(first=1, values=(2.5, math.nan, 1.5), lr=(0.5, 0.5, 0.25)),
    Event(step=2, what="nonfinite", where="2", message="the loss"),
    Epoch(epoch=1, lr=0.25, splits={"train": Measured(loss=2.0), "val": Measured(loss=1.75, accuracy=0.5)}),
    End(how="finished", steps=3),
]


def test_every_number_has_a_name():
    told = {name: (value, step) for record in RUN for name, value, step in scalars(record)}
    assert math.isnan({s: v for n, v, s in scalars(RUN[1]) if n == "step/loss"}[2])
    assert told["update_ratio/0.W"] == (0.0625, 1)
    assert told["layer_dead/1"] == (0.25, 1)
    assert told["outputs/entropy"] == (2.25, 1)
    assert told["accuracy/val"] == (0.5, 1)
    assert "gradient/0.b" not in told  # it was not measured
    assert "update_ratio/0.b" not in told
    assert "accuracy/train" not in told


def test_without_the_package_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(MissingPackageError, match=r"scratchnet\[tensorboard\]"):
        TensorBoard(tmp_path)


def test_the_package_is_not_imported_before_it_is_used():
    code = "import sys, scratchnet.train, scratchnet.train.history.tensorboard; sys.exit('tensorboardX' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0


def ask(port, page, **what):
    address = f"http://127.0.0.1:{port}/data/{page}?{urlencode(what)}"
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=10) as answer:
        return json.loads(answer.read())


@WRITER
@SERVER
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the packages that tensorboardX imports
def test_tensorboard_serves_what_was_written(tmp_path):
    with TensorBoard(tmp_path / "mlp", {"lr": 0.1, "layers": [object]}) as board:
        for record in RUN:
            board.write(record)
    board.close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(tmp_path), "--port", str(port)]
    command += ["--host", "127.0.0.1", "--load_fast=false", "--reload_interval", "1"]
    log = open(tmp_path / "log", "w+")  # noqa: SIM115
    server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        for _ in range(600):
            try:
                tags = ask(port, "plugin/scalars/tags")
            except (urllib.error.URLError, ConnectionError):
                tags = {}
            if "loss/val" in tags.get("mlp", {}) or server.poll() is not None:
                break
            time.sleep(0.1)
        log.seek(0)
        assert tags, log.read()
        told = {name for record in RUN for name, _, _ in scalars(record)}
        assert told <= set(tags["mlp"])

        def points(tag):
            return [(step, value) for _, step, value in ask(port, "plugin/scalars/scalars", run="mlp", tag=tag)]

        assert points("loss/val") == [(1, 1.75)]
        assert points("gradient/0.W") == [(1, 4.0)]
        assert points("step/lr") == [(1, 0.5), (2, 0.5), (3, 0.25)]
        assert repr(points("step/loss")) == "[(1, 2.5), (2, 'NaN'), (3, 1.5)]"
        assert "end/text_summary" in ask(port, "plugin/text/tags")["mlp"]
    finally:
        server.terminate()
        server.wait(30)
        log.close()
