"""What an optimizer keeps with a network."""

import numpy as np

from scratchnet import Adam, Dense, Network, RMSprop


def make():
    return Network([Dense(3)], (2,), backend="reference", dtype="float64")


def step(net, optimizer, slope):
    for view in net.gradients.views.values():
        view.fill(slope)
    optimizer.step(net)


def test_a_store_that_the_settings_do_not_name_is_not_used():
    net, twin = make(), make()
    step(net, RMSprop(centered=True, momentum=0.9), 1.0)
    step(twin, RMSprop(), 1.0)
    net.parameters.load(twin.parameters.snapshot())
    step(net, RMSprop(), 0.5)
    step(twin, RMSprop(), 0.5)
    np.testing.assert_array_equal(net.parameters.flat, twin.parameters.flat)


def test_two_kinds_of_optimizer_keep_apart():
    net = make()
    step(net, Adam(), 1.0)
    step(net, Adam(), 1.0)
    step(net, RMSprop(), 1.0)
    assert {name: state.steps for name, state in net.optimizer_states.items()} == {"Adam": 2, "RMSprop": 1}
    assert set(net.optimizer_states["RMSprop"].stores) == {"mean_square"}
