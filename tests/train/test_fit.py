"""The ready-made loop, and recipes."""

import io
from dataclasses import replace

import numpy as np
import pytest

from scratchnet import MSE, SGD, Adam, Dense, Flatten, Network, ReLU, SoftmaxCrossEntropy
from scratchnet.core import ConfigError
from scratchnet.data import Batches, Split, drawn
from scratchnet.optim import Cosine
from scratchnet.train import Monitor, Recipe, Report, fit


@pytest.fixture(scope="module")
def recipe():
    x, y = drawn(900, seed=0)
    layers = Flatten(), Dense(16), ReLU(), Dense(10)
    train, val, test = (
        Split(name, x[a:b], y[a:b]) for name, a, b in (("train", 0, 700), ("val", 700, 800), ("test", 800, 900))
    )
    return Recipe(layers=layers, train=train, val=val, test=test, optimizer=SGD(0.2), epochs=2, batch_size=64)


def test_it_trains_and_tells(recipe):
    history = recipe.run()
    assert history.end.how == "finished"
    assert (len(history.losses), history.end.steps) == (22, 22)
    assert history.losses[-1] < history.losses[0]
    assert list(history.data) == ["train", "val", "test"]
    first, last = history.epochs
    assert (first.batches, first.samples, first.forwards) == (11, 700, 11)
    assert list(last.splits) == ["train", "val", "test"]
    assert last.splits["val"].total == 100
    assert last.splits["val"].accuracy > 0.5
    assert np.sum(last.splits["val"].matrix) == 100
    assert (history.config["batch_size"], history.config["scale"]) == (64, 1 / 255)


def test_the_same_recipe_gives_the_same_run(recipe):
    assert recipe.run().losses == recipe.run().losses
    assert replace(recipe, seed=1).run().losses != recipe.run().losses


def test_it_is_the_loop_that_one_writes(recipe):
    net, loss, optimizer = recipe.network(), SoftmaxCrossEntropy(), Adam(0.01)
    schedule, losses = Cosine(0.01, steps=22), []
    for epoch in (1, 2):
        for x, y in recipe.batches(recipe.train).epoch(epoch):
            logits, tape = net.forward(x, training=True)
            value, dlogits = loss(logits, y, tape)
            net.zero_grad()
            net.backward(dlogits, tape)
            optimizer.step(net, lr=schedule(len(losses)))
            losses.append(float(value))
    history = replace(recipe, optimizer=optimizer, schedule=schedule).run()
    assert history.losses == losses
    assert history.lrs == [schedule(step) for step in range(22)]


def test_one_thing_changed(recipe):
    raw = replace(recipe, scale=1.0).run()
    assert raw.data["train"].maximum == 255
    frozen = replace(recipe, frozen=("1",)).run()
    assert frozen.looks[0].parameters["1.W"].update == 0
    assert frozen.looks[0].parameters["3.W"].update > 0
    other = replace(recipe, evaluation={"scale": 1.0}).run()
    assert (other.data["train"].maximum, other.data["val"].maximum) == (1.0, 255.0)


def test_a_loss_that_is_not_finite_ends_the_run(recipe):
    with np.errstate(all="ignore"):
        history = replace(recipe, optimizer=SGD(1e30), scale=1.0).run()
    assert history.end.how == "stopped"
    assert "no longer finite" in history.end.message
    assert history.events[-1].what == "nonfinite"
    assert len(history.losses) < 22


def test_a_label_out_of_range_ends_a_recipe_and_leaves_its_history(recipe):
    wrong = Split("train", recipe.train.x, recipe.train.y + 1)
    history = replace(recipe, train=wrong, val=None, test=None).run()
    assert "out of range" in history.end.message
    assert history.data["train"].label_maximum == 10


def test_regression():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4)).astype(np.float32)
    net = Network([Dense(1)], (4,))

    class Pairs:
        """A loader of other targets than classes."""

        def __len__(self):
            return 3

        def epoch(self, epoch):
            for i in range(3):
                part = x[20 * i : 20 * i + 20]
                yield part, part[:, :1] * 2

    out = io.StringIO()
    monitor = Monitor(net, MSE(), SGD(0.1))
    monitor.data = lambda **splits: None
    history = fit(net, MSE(), SGD(0.1), Pairs(), epochs=3, val=Pairs(), monitor=monitor, report=Report(file=out))
    assert history.epochs[-1].splits["val"].loss < history.epochs[0].splits["val"].loss
    assert history.epochs[0].splits["val"].accuracy is None
    assert "epoch 3/3" in out.getvalue()


def test_report_and_refusals(recipe):
    out = io.StringIO()
    recipe.run(epochs=1, report=Report(file=out))
    assert "epoch 1/1" in out.getvalue()
    net = recipe.network()
    batches = Batches(recipe.train, 64)
    for epochs in (0, 1.5):
        with pytest.raises(ConfigError, match="epochs"):
            fit(net, SoftmaxCrossEntropy(), SGD(0.1), batches, epochs=epochs)
