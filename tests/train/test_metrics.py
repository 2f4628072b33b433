import math
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scratchnet.core.errors import ConfigError, DtypeError, ShapeError, TargetError
from scratchnet.train import Counts, NonFiniteError


def counted(labels, taken, classes=3, loss=None):
    counts = Counts(classes)
    counts.add(np.eye(classes)[np.array(taken, int)], np.array(labels, int), loss)
    return counts


def test_rates_are_quotients_of_counts():
    counts = counted([0, 0, 0, 1], [0, 0, 1, 1])
    assert counts.matrix.tolist() == [[2, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert (counts.correct, counts.total, counts.accuracy) == (3, 4, 0.75)
    assert counts.per_class == [2 / 3, 1.0, None]
    assert counts.predicted == [2, 2, 0]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1), st.data())
def test_any_split_merges_to_the_whole(pairs, data):
    cut = data.draw(st.integers(0, len(pairs)))
    labels, taken = [p[0] for p in pairs], [p[1] for p in pairs]
    whole = counted(labels, taken)
    parts = counted(labels[:cut], taken[:cut]) + counted(labels[cut:], taken[cut:])
    assert (parts.matrix == whole.matrix).all()
    assert parts.accuracy == whole.accuracy
    assert (whole.accuracy * len(pairs)) == pytest.approx(sum(a == b for a, b in pairs))


@given(st.lists(st.tuples(st.integers(1, 5), st.floats()), min_size=1, max_size=12), st.data())
def test_any_split_of_the_batches_has_the_whole_s_loss_to_the_bit(batches, data):
    def add(counts, chosen):
        for size, loss in chosen:
            counts.add(np.zeros((size, 3)), np.zeros(size, int), loss)
        return counts

    whole, order = add(Counts(3), batches), data.draw(st.permutations(batches))
    cut = data.draw(st.integers(0, len(batches)))
    parts = add(Counts(3), order[:cut]) + add(Counts(3), order[cut:])
    assert repr(parts.loss) == repr(whole.loss)
    finite = [Fraction(loss) * size for size, loss in batches if math.isfinite(loss)]
    if len(finite) == len(batches):
        assert whole.loss == float(sum(finite) / whole.loss_total)
    else:
        assert not math.isfinite(whole.loss)


@given(arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(-2, 2)), st.data())
def test_top_5_counts_what_a_stable_sort_puts_among_the_first_five(logits, data):
    labels = np.array(
        data.draw(st.lists(st.integers(0, logits.shape[1] - 1), min_size=len(logits), max_size=len(logits)))
    )
    counts, cut = Counts(logits.shape[1]), data.draw(st.integers(0, len(logits)))
    counts.add(logits, labels.astype(np.uint8))
    first = np.argsort(-logits, 1, kind="stable")[:, :5]
    assert counts.top5 == sum(label in row for label, row in zip(labels, first, strict=True))
    assert counts.correct <= counts.top5 <= counts.total
    parts = Counts(logits.shape[1]), Counts(logits.shape[1])
    parts[0].add(logits[:cut], labels[:cut])
    parts[1].add(logits[cut:], labels[cut:])
    assert (parts[0] + parts[1]).top5 == counts.top5


def test_a_loss_as_large_as_a_float_can_be():
    counts = Counts(3)
    for loss in (sys.float_info.max, sys.float_info.max, 5e-324):
        counts.add(np.zeros((4, 3)), np.zeros(4, int), loss)
    assert counts.loss == sys.float_info.max / 3 * 2


def test_every_figure_knows_its_split():
    val = Counts(3, split="val")
    val.add(np.eye(3), np.arange(3))
    assert (val + val).split == "val"
    assert (val + Counts(3)).total == 3
    with pytest.raises(ConfigError, match="different splits"):
        val + Counts(3, split="test")
    with pytest.raises(ConfigError, match="test"):
        _ = Counts(3, split="test").accuracy


def test_a_ragged_batch_weighs_what_it_holds():
    counts = counted([0, 0, 0], [0, 0, 0], loss=1.0)
    counts.add(np.eye(3)[[1]], np.array([0]), 5.0)
    assert counts.loss == 2.0  # (3·1 + 1·5)/4, not (1 + 5)/2
    assert counts.accuracy == 0.75


def test_nothing_counted_is_an_error_and_not_zero():
    for rate in ("accuracy", "loss", "top5_accuracy"):
        with pytest.raises(ConfigError, match="no samples were counted"):
            getattr(Counts(3), rate)
    assert Counts(3).per_class == [None] * 3


def test_narrow_labels_do_not_wrap_around():
    counts = Counts(30)
    counts.add(np.eye(30), np.arange(30, dtype=np.uint8))  # 29·30 is no uint8
    assert counts.correct == 30


def test_deviation_is_the_z_of_two_proportions():
    counts = counted([0] * 10 + [1] * 20, [0] * 5 + [1] * 25, classes=2)
    p = 25 / 30
    z = (0.5 - 1.0) / math.sqrt(p * (1 - p) * (1 / 10 + 1 / 20))
    assert counts.deviations() == pytest.approx([z, -z])


@pytest.mark.parametrize(("labels", "taken"), [([0, 1, 2], [0, 1, 2]), ([0, 1, 2], [1, 2, 0]), ([1, 1], [1, 0])])
def test_deviation_has_no_meaning_without_variation_or_others(labels, taken):
    assert counted(labels, taken).deviations() == [None] * 3


def test_refusals():
    counts = Counts(3)
    with pytest.raises(ShapeError):
        counts.add(np.zeros((2, 4)), np.zeros(2, int))
    with pytest.raises(ShapeError):
        counts.add(np.zeros((2, 3)), np.zeros(3, int))
    with pytest.raises(TargetError, match="labels\\[1\\]"):
        counts.add(np.zeros((2, 3)), np.array([0, 3]))
    for logits, labels in ((np.zeros((2, 3)), np.zeros(2)), ([[0, 0, 0]], [0])):
        with pytest.raises(DtypeError, match="cannot be counted"):
            counts.add(logits, labels)
    with pytest.raises(NonFiniteError, match="row 1"):
        counts.add(np.array([[0, 0, 0], [0, np.nan, 0]]), np.zeros(2, int))
    with pytest.raises(ShapeError):
        counts + Counts(2)
    with pytest.raises(ConfigError):
        Counts(0)
    assert counts.total == 0
