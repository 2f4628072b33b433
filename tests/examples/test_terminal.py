"""The example on a terminal, which a pseudo-terminal plays: the live line, and Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from .conftest import EXAMPLES, environment

pty = pytest.importorskip("pty", reason="needs a system with pseudo-terminals (not Windows)")
LONG = ("--data", "drawn", "--samples", "2000", "--backend", "reference", "--epochs", "500", "--batch-size", "8")


class Terminal:
    """A run of the example on a terminal of its own."""

    def __init__(self, arguments, **more):
        self.end, far = pty.openpty()
        command = [sys.executable, str(EXAMPLES / "mnist_manual.py"), *map(str, arguments)]
        self.process = subprocess.Popen(command, stdin=far, stdout=far, stderr=far, env=more, start_new_session=True)
        os.close(far)
        self.text = ""

    def read(self, until=None):
        """Read to the end, or until `until` is there."""
        deadline = time.monotonic() + 100
        while until is None or until not in self.text:
            assert time.monotonic() < deadline, self.text
            try:
                new = os.read(self.end, 1 << 16)
            except OSError:  # Linux's way to say that the other side is closed
                new = b""
            if not new:
                assert until is None, self.text
                break
            self.text += new.decode("utf-8", "replace")
        return self.text

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.end)


@pytest.fixture
def terminal(tmp_path):
    opened = []

    def run(*arguments, **more):
        own = environment(tmp_path, TERM="xterm-256color", COLORTERM="truecolor") | more
        opened.append(Terminal(arguments, **own))
        return opened[-1]

    yield run
    for each in opened:
        each.close()


@pytest.mark.parametrize("width", ["20", "80"])
def test_ctrl_c_ends_with_what_is_known(terminal, tmp_path, width):
    run = terminal(*LONG, "--json", tmp_path / "f.json", COLUMNS=width)
    run.read(until="epoch 1/500")
    run.process.send_signal(signal.SIGINT)
    text = run.read()
    assert run.process.wait() == 130
    assert "Traceback" not in text
    assert "interrupted after" in text
    if width == "80":
        assert "img/s" in text
        assert "ETA" in text
    f = json.loads((tmp_path / "f.json").read_text())
    assert f["interrupted"] is True
    assert 1 <= f["epochs"] == len(f["losses"]) < 500
    assert f["test_accuracy"] == f["test_accuracies"][-1]
    assert f["train_accuracy"] is None


def test_ctrl_c_before_the_first_epoch_is_over(terminal, tmp_path):
    run = terminal(*LONG[:-1], "1", "--json", tmp_path / "f.json")
    run.read(until="1/500")
    run.process.send_signal(signal.SIGINT)
    text = run.read()
    assert run.process.wait() == 130
    assert "none measured yet" in text
    assert json.loads((tmp_path / "f.json").read_text())["epochs"] == 0


def test_a_dumb_terminal_gets_no_control_codes(terminal, family):
    tiny = ("--data", "fashion", "--data-dir", family, "--val", "0", "--epochs", "1", "--backend", "reference")
    run = terminal(*tiny, TERM="dumb")
    text = run.read()
    assert run.process.wait() == 0
    assert "\x1b" not in text


def test_what_is_compiled_is_said_while_it_is_and_never_again(terminal, family, tmp_path):
    tiny = ("--data", "fashion", "--data-dir", family, "--val", "0", "--epochs", "1", "--backend", "cpu")
    for cold in (True, False):
        run = terminal(*tiny, NUMBA_CACHE_DIR=str(tmp_path / "numba"), COLUMNS="120")
        text = run.read()
        assert run.process.wait() == 0
        assert ("compiling kernels for this machine: dense (" in text) == cold
        assert ("kernels compiled meanwhile" in text) == cold
        last = text.rpartition("Test accuracy by class")[2]
        assert "compiling" not in last  # the line has vanished
