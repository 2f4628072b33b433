"""Tapes: spent, kept, dropped, stale, of another network; and whose memory is whose."""

import gc

import numpy as np
import pytest

from scratchnet import SGD, Dense, Network, ReLU, SoftmaxCrossEntropy
from scratchnet.core import TapeError


@pytest.fixture
def net():
    return Network([Dense(6), ReLU(), Dense(3)], (4,), backend="reference")


x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
t = np.array([0, 1, 2, 1, 0])


def test_a_spent_tape_raises(net):
    logits, tape = net.forward(x, training=True)
    net.backward(np.ones_like(logits), tape)
    with pytest.raises(TapeError, match="spent"):
        net.backward(np.ones_like(logits), tape)


def test_a_loss_on_a_spent_tape_raises(net):
    logits, tape = net.forward(x, training=True)
    net.backward(np.ones_like(logits), tape)
    with pytest.raises(TapeError, match="spent"):
        SoftmaxCrossEntropy()(logits, t, tape)


def test_a_kept_tape_serves_again_and_adds(net):
    logits, tape = net.forward(x, training=True)
    net.backward(np.ones_like(logits), tape, keep=True)
    once = net.gradients.flat.copy()
    net.backward(np.ones_like(logits), tape)
    np.testing.assert_allclose(net.gradients.flat, 2 * once)
    assert tape.spent


def test_what_is_no_tape_raises(net):
    with pytest.raises(TapeError, match="NoneType"):
        net.backward(np.ones((5, 3), np.float32), None)


def test_a_tape_of_another_network_raises(net):
    other = Network([Dense(3)], (4,), backend="reference")
    logits, tape = other.forward(x, training=True)
    with pytest.raises(TapeError, match="another network"):
        net.backward(np.ones_like(logits), tape)


def test_a_tape_older_than_the_parameters_raises(net):
    logits, tape = net.forward(x, training=True)
    _, dlogits = SoftmaxCrossEntropy()(logits, t, tape)
    SGD(0.1).step(net)
    with pytest.raises(TapeError, match="parameters have changed"):
        net.backward(dlogits, tape)


def test_logits_and_dx_stay_until_the_next_forward(net):
    logits1, tape1 = net.forward(x, training=True)
    _, tape2 = net.forward(x[::-1].copy(), training=True)
    ones = np.ones_like(logits1)
    dx1 = net.backward(ones, tape1, need_dx=True)
    before = logits1.copy(), dx1.copy()
    net.backward(ones, tape2, need_dx=True)
    np.testing.assert_array_equal(logits1, before[0])
    np.testing.assert_array_equal(dx1, before[1])


def test_dropped_tapes_give_their_memory_back_without_the_garbage_collector(net):
    gc.disable()
    try:
        for _ in range(2):
            net.forward(x, training=True)
        made = net.pool.made
        for _ in range(6):
            net.forward(x, training=True)
        assert net.pool.made == made
    finally:
        gc.enable()


def test_a_forward_that_raises_leaks_nothing(net):
    net.forward(x, training=True)
    net.forward(x, training=True)
    made = net.pool.made
    for _ in range(4):
        with pytest.raises(ValueError, match="does not fit"):
            net.forward(x[:, :2], training=True)
        net.forward(x, training=True)
    assert net.pool.made == made


def test_a_ragged_last_batch_allocates_no_slab(net):
    loss = SoftmaxCrossEntropy()

    def step(n):
        logits, tape = net.forward(x[:n], training=True)
        _, dlogits = loss(logits, t[:n], tape)
        net.backward(dlogits, tape)

    for n in (5, 3, 5):
        step(n)
    made = net.pool.made
    for n in (5, 3, 5, 1, 5, 2):
        step(n)
    assert net.pool.made == made


def test_epochs_of_training_and_evaluation_take_turns_in_one_memory(net):
    """Ragged batches, evaluations of other sizes, and both again: after the first epoch nothing is made."""
    loss, made = SoftmaxCrossEntropy(), []
    many = np.tile(x, (7, 1))
    for _ in range(3):
        for n in (5, 5, 2):
            logits, tape = net.forward(x[:n], training=True)
            _, dlogits = loss(logits, t[:n], tape)
            net.backward(dlogits, tape)
        net.predict(many, batch_size=16)
        made.append(net.pool.made)
    assert made[0] == made[1] == made[2]


def test_predict_is_a_copy_and_leaves_no_trace(net):
    y = net.predict(x)
    kept = y.copy()
    net.forward(-x, training=True)
    np.testing.assert_array_equal(y, kept)
    np.testing.assert_allclose(net.predict(x, batch_size=2), kept, rtol=1e-5)  # BLAS sums in another order
    assert net.count[0] == 1
