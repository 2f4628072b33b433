"""A run that was broken off and resumed ends where one ends that never was, to the bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scratchnet import SGD, Dense, Network, RMSprop
from scratchnet.checkpoint import Checkpoint, Checkpointer, CheckpointError
from tests.checkpoint.runs import MODELS, OPTIMIZERS, BrokenOffError, Run, everything

STEPS = 18  # three epochs of six batches, the last of ten samples

whole = {}


def uninterrupted(tmp_path_factory, **how):
    key = tuple(sorted(how.items()))
    if key not in whole:
        run = Run(**how)
        run.go(run.saver(None))
        whole[key] = everything(run)
    return whole[key]


def broken_off(folder, stops, **how):
    """Break a run off after so many steps, each time anew in a fresh process (as good as), then finish it."""
    for number, stop in enumerate(stops):
        run = Run(**how)
        try:
            run.go(run.saver(folder), resume=number > 0, stop=stop)
        except BrokenOffError:
            continue
        return run
    run = Run(**how)
    run.go(run.saver(folder), resume=True)
    return run


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
@pytest.mark.parametrize("model", sorted(MODELS))
@given(stops=st.lists(st.integers(2, STEPS), min_size=1, max_size=3))
@settings(max_examples=4)
def test_bit_for_bit_on_the_reference(model, optimizer, stops, tmp_path_factory):
    how = {"model": model, "optimizer": optimizer}
    run = broken_off(tmp_path_factory.mktemp("run"), stops, **how)
    assert everything(run) == uninterrupted(tmp_path_factory, **how)


@pytest.mark.parametrize("model", sorted(MODELS))
@pytest.mark.parametrize("optimizer", ["momentum", "adam", "rmsprop"])
@pytest.mark.parametrize("stop", [3, 6, 11])
def test_bit_for_bit_on_the_cpu(model, optimizer, stop, tmp_path_factory):
    how = {"model": model, "optimizer": optimizer, "backend": "cpu"}
    run = broken_off(tmp_path_factory.mktemp("run"), [stop], **how)
    assert everything(run) == uninterrupted(tmp_path_factory, **how)


@pytest.mark.parametrize("optimizer", ["momentum", "adam", "rmsprop"])
def test_bit_for_bit_with_the_compiled_step(optimizer, tmp_path_factory, monkeypatch):
    monkeypatch.setitem(MODELS, "plain", lambda: [*MODELS["mlp"]()[:3], MODELS["mlp"]()[4]])
    how = {"model": "plain", "optimizer": optimizer, "backend": "cpu", "compiled": True}
    assert Run(**how).compiled.compiled
    run = broken_off(tmp_path_factory.mktemp("run"), [5, 9], **how)
    assert everything(run) == uninterrupted(tmp_path_factory, **how)


def test_in_double_precision(tmp_path_factory):
    run = broken_off(tmp_path_factory.mktemp("run"), [7], dtype="float64")
    assert everything(run) == uninterrupted(tmp_path_factory, dtype="float64")


def test_a_network_that_trained_on_goes_back(tmp_path):
    """`resume` into a network that has trained already, in place, with its optimizers and its compiled plans."""
    run = Run()
    saver = run.saver(tmp_path, keep=100)
    run.go(saver)
    end, entries = everything(run), saver.all()
    assert [entry.at.step for entry in entries] == [
        2,
        4,
        6,
        6,
        8,
        10,
        12,
        12,
        14,
        16,
        18,
        18,
    ]  # twice where an epoch ends
    for entry in entries[::3]:
        again = run.saver(tmp_path, keep=100)
        at = again.resume(run.net, settings=run.settings, entry=entry, **run.kept)
        assert at == entry.at
        assert everything(run) != end
    fresh = Run()
    assert fresh.saver(tmp_path).resume(fresh.net, settings=fresh.settings, **fresh.kept) == (4, 0, 18)
    assert everything(fresh) == end


def test_nothing_stays_of_what_came_after(tmp_path):
    run = Run()
    run.go(run.saver(tmp_path))
    RMSprop(0.1).step(run.net)
    run.net.gradients.flat[:] = 1
    run.saver(tmp_path).resume(run.net, settings=run.settings)
    assert list(run.net.optimizer_states) == ["Adam"]
    assert not run.net.gradients.flat.any()


def test_frozen_parameters_multipliers_and_ties_come_back(tmp_path):
    def made():
        return Network([Dense(3), Dense(3)], (3,), ties={"1.W": "0.W"}, backend="reference")

    net = made()
    net.parameters.freeze("0.b")
    net.parameters.segments["1.b"].lr = 0.25
    net.parameters.segments["1.b"].decay = 0.0
    x = np.ones((2, 3), np.float32)
    logits, tape = net.forward(x, training=True)
    net.backward(logits, tape)
    SGD(0.1, momentum=0.9).step(net)
    saver = Checkpointer(tmp_path)
    saver.begin(net)
    saver.save(saver.begin(net))
    other = made()
    saver.resume(other)
    assert other.parameters.segments == net.parameters.segments
    assert other.views["0.W"].tobytes() == other.views["1.W"].tobytes() == net.views["0.W"].tobytes()
    alone = saver.latest().network("reference")
    assert alone.parameters.segments == net.parameters.segments
    assert alone.predict(x).tobytes() == net.predict(x).tobytes()
    assert alone.optimizer_states["SGD"].steps == 1


def test_a_checkpoint_is_a_network(tmp_path):
    run = Run("cnn")
    saver = run.saver(tmp_path)
    run.go(saver)
    checkpoint = saver.latest()
    x = next(iter(run.batches.epoch(1)))[0]
    assert checkpoint.network("reference").predict(x).tobytes() == run.net.predict(x).tobytes()
    assert checkpoint.facts["data"] == "drawn"
    assert (checkpoint.facts["epochs"], checkpoint.facts["steps"]) == (3, 18)
    assert checkpoint.facts["ended"].endswith("+00:00")
    assert checkpoint.facts["loss"] == checkpoint.metrics["loss"] == run.counts.loss
    assert checkpoint.settings == run.settings
    assert checkpoint.state["plateau"] == run.plateau.state_dict()
    assert Checkpoint.read(checkpoint.path).at == (4, 0, 18)


def test_every_kind_of_generator_goes_on_where_it_stood(tmp_path):
    net = Network([Dense(2)], (2,), backend="reference")
    for kind in ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"):
        rng = np.random.Generator(getattr(np.random, kind)(5))
        rng.normal(size=3)
        saver = Checkpointer(tmp_path / kind)
        saver.save(saver.begin(net), rng=rng)
        expected, other = rng.normal(size=5).tolist(), np.random.Generator(getattr(np.random, kind)(6))
        saver.resume(net, rng=other)
        assert other.normal(size=5).tolist() == expected
        with pytest.raises(CheckpointError, match="another kind of generator"):
            saver.resume(net, rng=np.random.Generator(np.random.MT19937() if kind == "PCG64" else np.random.PCG64()))


class TestWrongUse:
    def test_an_empty_folder(self, tmp_path):
        run = Run()
        with pytest.raises(CheckpointError, match="there is no checkpoint"):
            run.saver(tmp_path / "none").resume(run.net)

    def test_a_folder_in_use(self, tmp_path):
        run = Run()
        run.go(run.saver(tmp_path))
        with pytest.raises(CheckpointError, match="holds checkpoints already"):
            run.saver(tmp_path).begin(run.net)

    def test_another_model(self, tmp_path):
        run = Run()
        run.go(run.saver(tmp_path))
        other = Run("cnn")
        before = everything(other)
        with pytest.raises(CheckpointError, match="another network") as refused:
            other.saver(tmp_path).resume(other.net, settings=run.settings)
        assert refused.value.where.endswith(": layers")
        assert everything(other) == before

    def test_other_settings(self, tmp_path):
        run, other = Run(), Run(optimizer="sgd")
        run.go(run.saver(tmp_path))
        for settings_now in (other.settings, None, {**run.settings, "more": 1}):
            with pytest.raises(CheckpointError, match="other settings"):
                other.saver(tmp_path).resume(other.net, settings=settings_now)

    def test_what_was_not_kept(self, tmp_path):
        run = Run()
        run.go(run.saver(tmp_path))
        with pytest.raises(CheckpointError, match="not kept this"):
            run.saver(tmp_path).resume(run.net, settings=run.settings, other=run.rng)
        with pytest.raises(CheckpointError, match="cannot be brought"):
            run.saver(tmp_path).resume(run.net, settings=run.settings, rng=3)

    def test_what_cannot_be_kept_is_told_before_the_run(self, tmp_path):
        run = Run()
        for thing in (object(), {"a": object()}, {3: 4}, {"$array": "x"}, np.zeros(2, complex), 1j):
            with pytest.raises(CheckpointError, match="cannot be kept"):
                run.saver(tmp_path).begin(run.net, thing=thing)
        with pytest.raises(CheckpointError, match="a setting is plain"):
            run.saver(tmp_path).begin(run.net, settings={"a": np.zeros(2)})
        saver = run.saver(tmp_path)
        with pytest.raises(CheckpointError, match="a fact is plain"):
            saver.save(saver.begin(run.net), facts={"a": [1]})
        with pytest.raises(CheckpointError, match="has not begun"):
            run.saver(tmp_path).save((1, 0, 0))

    def test_weights_that_are_not_finite(self, tmp_path):
        run = Run()
        saver = run.saver(tmp_path)
        at = saver.begin(run.net)
        run.net.views["1.W"][2, 3] = np.nan
        with pytest.raises(CheckpointError, match="not finite"):
            saver.save(at)
