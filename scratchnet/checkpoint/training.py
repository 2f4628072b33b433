"""All that a network carries of its training: parameters, buffers, optimizers, counts, what is frozen; out and in.

Arrays are called as the network calls them ("0.W", "1.mean"), those of an optimizer "optimizer.Adam.m.0.W". Tied
parameters are kept once, under the name of the first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from scratchnet.core.layer import whole
from scratchnet.core.network import Network
from scratchnet.core.optimizer_state import OptimizerState
from scratchnet.core.store import Store
from scratchnet.core.types import Array

from .errors import CheckpointError, DamagedError


def take(net: Network) -> tuple[dict[str, Array], dict[str, Any]]:
    """(arrays, numbers) of the training so far. The arrays are views: write them before the next step."""
    arrays = _named(net.parameters, "") | _named(net.buffers, "")
    optimizers = {}
    for name, state in net.optimizer_states.items():
        for slot, store in state.stores.items():
            arrays |= _named(store, f"optimizer.{name}.{slot}.")
        optimizers[name] = {"slots": list(state.stores), "steps": state.steps, "hyper": state.hyper.tolist()}
    segments = {name: [s.lr, s.decay, s.frozen] for name, s in net.parameters.segments.items()}
    return arrays, {"count": int(net.count[0]), "segments": segments, "optimizers": optimizers}


def put(net: Network, arrays: Mapping[str, Array], numbers: Mapping[str, Any]) -> None:
    """Bring a network to where `take` saw one of the same architecture. Nothing is changed unless all of it fits.

    Raises DamagedError where it does not.
    """
    try:
        states = {str(name): _state(net, name, told, arrays) for name, told in numbers["optimizers"].items()}
        segments = {name: _segment(*numbers["segments"][name]) for name in net.parameters.segments}
        stores = [(store, _found(store, arrays, "")) for store in (net.parameters, net.buffers)]
        count = numbers["count"]
        if not whole(count, least=0) or count >= 1 << 63:
            raise ValueError(f"count is {count!r}")
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise DamagedError(
            "the training's numbers are not those of this network", actual=f"{type(error).__name__}: {error}"
        ) from error
    for store, found in stores:
        store.load(found)
    for name, (lr, decay, frozen) in segments.items():
        segment = net.parameters.segments[name]
        segment.lr, segment.decay, segment.frozen = lr, decay, frozen
    net.gradients.zero()
    net.count[0] = count
    net.optimizer_states.clear()
    net.optimizer_states.update(states)


def check_parameters(net: Network) -> None:
    """Refuse to keep what training has destroyed. Raises CheckpointError, which names the first parameter."""
    for name in net.parameters.segments:
        if not np.isfinite(net.views[name]).all():
            raise CheckpointError(
                "a parameter is not finite",
                where=name,
                expected="finite numbers",
                hint="go back to the checkpoint before, with a lower learning rate",
            )


def _named(store: Store, prefix: str) -> dict[str, Array]:
    """The views by name, tied ones once."""
    return {prefix + name: store.views[name] for name in store.segments}


def _found(store: Store, arrays: Mapping[str, Array], prefix: str) -> dict[str, Array]:
    """The arrays that belong into a store, under all names that it has for them."""
    found = {name: arrays[prefix + store.ties.get(name, name)] for name in store.views}
    for name, array in found.items():
        if array.shape != store.views[name].shape or array.dtype != store.dtype:
            raise ValueError(f"{prefix}{name} is {array.dtype} of shape {array.shape}")
    return found


def _state(net: Network, name: str, told: Mapping[str, Any], arrays: Mapping[str, Array]) -> OptimizerState:
    state = OptimizerState()
    for slot in told["slots"]:
        store = state.stores[slot] = net.parameters.like()
        store.load(_found(store, arrays, f"optimizer.{name}.{slot}."))
    state.steps, hyper = told["steps"], told["hyper"]
    if not whole(state.steps, least=0) or len(hyper) != 4:
        raise ValueError(f"{name} has made {state.steps!r} steps with {hyper!r}")
    state.hyper[:] = hyper
    return state


def _segment(lr: Any, decay: Any, frozen: Any) -> tuple[float, float, bool]:
    if not isinstance(frozen, bool) or not (math.isfinite(lr) and math.isfinite(decay)):
        raise ValueError(f"multipliers {lr!r}, {decay!r}, frozen {frozen!r}")
    return float(lr), float(decay), frozen
