"""`scratchnet check` on files of a user's own: verdicts, exit codes, and faults that end one check and not the run."""

import json

import pytest
from click.testing import CliRunner

from scratchnet.cli import main

PAIRS = """
import numpy as np

def square_inputs():
    return {"x": np.linspace(-1.0, 2.0, 6).reshape(2, 3)}

def square_forward(x):
    return x * x, x

def square_backward(dout, x):
    return FACTOR * x * dout

def lost_forward(x):
    return x, x

def broken_inputs():
    raise OSError("no such data")

def broken_forward(x):
    return x, x

def broken_backward(dout, x):
    return dout
"""

LAYER = """
from scratchnet.core import Case
from scratchnet.layers import ReLU

class Mine(ReLU):
    def backward(self, k, p, g, saved, dy, run):
        return super().backward(k, p, g, saved, BACK, run)
"""


def check(*arguments):
    return CliRunner().invoke(main, ["check", *map(str, arguments)])


@pytest.fixture
def file(tmp_path):
    def write(text, name="mine.py"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_a_right_pair(file):
    result = check(f"{file(PAIRS.replace('FACTOR', '2'))}::square")
    assert result.exit_code == 0, result.output
    assert result.output.startswith("PASS  square")


def test_a_wrong_pair_is_explained_and_the_others_are_still_checked(file):
    result = check(file(PAIRS.replace("FACTOR", "3")))
    assert result.exit_code == 1
    assert "the gradient is 1.5" in result.output
    assert "there is no function lost_backward" in result.output
    assert "broken_inputs raises OSError at mine.py:17: no such data" in result.output
    assert "3 FAIL" in result.output


def test_as_json(file):
    result = check(f"{file(PAIRS.replace('FACTOR', '-2'))}::square", "--json")
    assert result.exit_code == 1
    [report] = json.loads(result.output)
    assert report["verdict"] == "FAIL"
    assert report["findings"][0]["explanations"][0]["kind"] == "sign"


@pytest.mark.parametrize(("back", "code"), [("dy", 0), ("dy * 2", 1), ("dy[:1]", 1)])
def test_a_layer(file, back, code):
    result = check(file(LAYER.replace("BACK", back)))
    assert result.exit_code == code, result.output
    assert "Mine" in result.output


def test_a_layer_without_cases_is_reported(file):
    result = check(file("from scratchnet.core import Layer\nclass Bare(Layer):\n    pass\n"))
    assert result.exit_code == 1
    assert "Bare has no cases" in result.output


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = 1", "nothing to check"),
        ("import nothing_of_that_name", "does not import"),
        ("def f(:", "does not import"),
        ("raise SystemExit(3)", "does not import"),
    ],
)
def test_files_with_nothing_to_check(file, text, says):
    result = check(file(text))
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.output


def test_missing_files_and_names(file, tmp_path):
    assert check(tmp_path / "none.py").exit_code == 2
    result = check(f"{file(PAIRS)}::cube")
    assert result.exit_code == 2
    assert "square" in result.stderr
    assert check(file("text", "notes.txt")).exit_code == 2
    assert check().exit_code == 2
    assert check("a.py", "--all").exit_code == 2
