"""The digest sees every bit, every name, every shape; and not how memory is laid out."""

import hashlib

import numpy as np
import pytest

from scratchnet.checkpoint import digest


def test_it_is_what_the_docstring_says():
    W, b = np.arange(6, dtype="<f4").reshape(2, 3), np.array(2.5, "<f8")
    text = b"W <f4 2x3\n" + W.tobytes() + b"b <f8 \n" + b.tobytes()
    assert digest({"b": b, "W": W}) == hashlib.sha256(text).hexdigest()


def test_layout_and_byte_order_do_not_matter():
    W = np.arange(12.0).reshape(3, 4)
    seen = {digest({"W": form}) for form in (W, np.asfortranarray(W), W.astype(">f8"), np.repeat(W, 2, 1)[:, ::2])}
    assert len(seen) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"W": np.array([[0.0, 1.0], [2.0, 4.0]])},
        {"W": np.array([[-0.0, 1.0], [2.0, 3.0]])},
        {"W": np.array([[0.0, 1.0, 2.0, 3.0]])},
        {"W": np.array([[0.0, 1.0], [2.0, 3.0]], np.float32)},
        {"V": np.array([[0.0, 1.0], [2.0, 3.0]])},
        {},
    ],
)
def test_every_difference_shows(other):
    assert digest({"W": np.array([[0.0, 1.0], [2.0, 3.0]])}) != digest(other)
