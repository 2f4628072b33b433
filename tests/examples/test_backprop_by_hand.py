import importlib.util

import numpy as np
import pytest

from .conftest import EXAMPLES


@pytest.fixture
def page(monkeypatch):
    spec = importlib.util.spec_from_file_location("backprop_by_hand", EXAMPLES / "backprop_by_hand.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setenv("COLUMNS", "80")
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("width", [20, 40, 80])
def test_every_check_agrees(start, width):
    ended = start("backprop_by_hand", COLUMNS=str(width), PYTHONIOENCODING="ascii")
    assert (ended.code, ended.err) == (0, "")
    assert "Every check agrees." in ended.out
    assert ended.out.count("agree, to") == 15
    assert max(map(len, ended.out.splitlines())) <= width


def test_what_is_typed_after_it_is_refused_or_answered(start):
    refused = start("backprop_by_hand", "--epochs", "3")
    assert (refused.code, refused.out) == (2, "")
    assert "unrecognized arguments: --epochs 3" in refused.err
    helped = start("backprop_by_hand", "--help")
    assert helped.code == 0
    assert "Backpropagation on one page" in helped.out
    assert "Every check agrees" not in helped.out


def test_a_wrong_gradient_fails(page, capsys):
    right = page.np.outer

    class Wrong:
        """NumPy, but for one sign."""

        def __getattr__(self, name):
            return (lambda a, b: -right(a, b)) if name == "outer" else getattr(np, name)

    page.np = Wrong()
    assert page.main() == 1
    assert "These checks failed: dW2, dW1, dW2 of scratchnet, dW1 of scratchnet" in capsys.readouterr().out
