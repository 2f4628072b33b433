"""What is said of a split before training."""

import numpy as np
import pytest

from scratchnet import MSE, SGD, Dense, Embedding, Flatten, Network, SoftmaxCrossEntropy
from scratchnet.data import Batches, Split, drawn
from scratchnet.train import Monitor
from scratchnet.train.errors import DataFactsError


def facts(net=None, loss=None, **splits):
    net = net or Network([Flatten(), Dense(10)], (1, 28, 28))
    monitor = Monitor(net, loss or SoftmaxCrossEntropy(), SGD(0.1))
    monitor.data(**splits)
    return monitor.history.data


@pytest.fixture(scope="module")
def pictures():
    return drawn(1500, seed=0)


def test_values_are_those_that_the_network_gets(pictures):
    x, y = pictures
    found = facts(train=Batches(Split("train", x, y), 100, scale=1 / 255, shift=-0.5))["train"]
    given = x.reshape(1500, -1) / 255 - 0.5
    assert (found.samples, found.looked_at, found.features, found.shape) == (1500, 1500, 784, (1, 28, 28))
    assert (found.minimum, found.maximum) == pytest.approx((given.min(), given.max()), rel=1e-6)
    assert (found.mean, found.std) == pytest.approx((given.mean(), given.std()), rel=1e-5)
    assert found.norm == pytest.approx(np.sqrt((given**2).sum(1)).mean(), rel=1e-5)
    assert found.constant == (np.ptp(given, axis=0) == 0).sum()
    assert found.nonfinite == 0


def test_channels_are_scaled_each_by_its_own():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (50, 3, 4, 5), np.uint8), rng.integers(0, 3, 50)
    net = Network([Flatten(), Dense(3)], (3, 4, 5))
    batches = Batches(Split("train", x, y), 50, shuffle=False, scale=(0.1, 0.2, 0.3), shift=(0.0, 5.0, -50.0))
    seen, _ = next(batches.epoch(0))
    found = facts(net, train=batches)["train"]
    assert (found.minimum, found.maximum) == (seen.min(), seen.max())
    assert found.mean == pytest.approx(seen.mean(dtype=np.float64), rel=1e-6)


def test_labels(pictures):
    x, y = pictures
    order = np.argsort(y, kind="stable")
    split = Split("train", x[order], y[order])
    found = facts(train=Batches(split, 100, shuffle=False), val=Batches(split, 100))
    assert found["train"].class_counts == tuple(np.bincount(y, minlength=10))
    assert found["train"].neighbours_alike > 0.99
    assert found["val"].neighbours_alike < 0.2  # shuffled
    assert (found["train"].label_minimum, found["train"].label_maximum, found["train"].classes) == (0, 9, 10)


def test_labels_that_no_class_has(pictures):
    x, y = pictures
    found = facts(train=Batches(Split("train", x, y + 1), 100))["train"]
    assert (found.label_minimum, found.label_maximum) == (1, 10)
    assert sum(found.class_counts) == (y < 9).sum()


def test_sound_labels_agree_with_neighbours_and_shuffled_ones_do_not(pictures):
    x, y = pictures
    wrong = np.random.default_rng(0).permutation(y)
    sound, broken = (facts(train=Batches(Split("train", x, labels), 100))["train"] for labels in (y, wrong))
    assert sound.agreement > 0.8
    assert sound.relabelled == pytest.approx(sound.agreement, abs=0.02)
    assert sound.chance == pytest.approx(((np.bincount(y) / 1500) ** 2).sum())
    assert abs(broken.agreement - broken.chance) < 0.05
    assert abs(broken.relabelled - broken.chance) < 0.06  # a renaming helps nothing
    assert sound.agreed_on == 1000


def test_a_class_map_of_its_own_shows_in_the_renaming(pictures):
    x, y = pictures
    train = Split("train", x[:1000], y[:1000])
    val = Split("val", x[1000:], np.random.default_rng(2).permutation(10)[y[1000:]])
    found = facts(train=Batches(train, 100), val=Batches(val, 100))["val"]
    assert found.agreement < 0.3
    assert found.relabelled > 0.75
    assert found.agreed_on == 500


def test_duplicates(pictures):
    x, y = pictures
    train = Split("train", np.concatenate([x[:1000], x[:7]]), np.concatenate([y[:1000], y[:7]]))
    val = Split("val", x[900:1200], y[900:1200])
    found = facts(train=Batches(train, 100), val=Batches(val, 100, scale=1.0))
    assert (found["train"].duplicates, found["val"].duplicates) == (7, 100)


def test_the_training_split_comes_first_whatever_the_order(pictures):
    x, y = pictures
    train, val = (Batches(Split("s", x[a:b], y[a:b]), 100) for a, b in ((0, 1000), (900, 1500)))
    assert facts(val=val, train=train)["val"].duplicates == 100


def test_arrays_as_the_network_gets_them():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 3)).astype(np.float32), rng.integers(0, 2, 40)
    x[5, 1] = np.nan
    found = facts(Network([Dense(2)], (3,)), train=(x, y))["train"]
    assert (found.nonfinite, found.samples, found.shape) == (1, 40, (3,))
    assert np.isnan(found.mean)


def test_indices_have_no_range_and_regressions_no_classes():
    ids, y = np.random.default_rng(0).integers(0, 5, (30, 4)), np.arange(30) % 3
    net = Network([Embedding(5, 2), Flatten(), Dense(3)], (4,))
    found = facts(net, train=(ids, y), val=(ids[:5], y[:5]))
    assert (found["train"].minimum, found["train"].agreement, found["val"].duplicates) == (None, None, 5)
    assert found["train"].class_counts == (10, 10, 10)
    x = np.random.default_rng(0).normal(size=(30, 4))
    found = facts(Network([Dense(1)], (4,)), MSE(), train=(x, x[:, :1]))["train"]
    assert (found.classes, found.class_counts, found.agreement) == (None, None, None)
    assert found.maximum == x.max()


def test_one_sample_and_one_class():
    x = np.zeros((1, 3), np.float32)
    found = facts(Network([Dense(2)], (3,)), train=(x, np.zeros(1, int)))["train"]
    assert (found.samples, found.constant, found.neighbours_alike, found.agreement) == (1, 3, None, None)


def test_refusals():
    for source in (3, None, (np.zeros((3, 2)), np.zeros(4)), (np.zeros((0, 2)), np.zeros(0)), [1, 2]):
        with pytest.raises(DataFactsError, match="train split"):
            facts(train=source)
