"""What the tests of emitted Python share: networks, inputs, and the names of a module."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet import Network
from scratchnet.core.types import map_leaves, named_leaves


def network(case: Any, dtype: str = "float32", seed: int = 0) -> Network:
    """On the reference, no parameter or statistic as it began."""
    net = Network(case.layer, case.in_shape, backend="reference", dtype=dtype, seed=seed, fuse=False)
    rng = np.random.default_rng(seed)
    for view in net.parameters.views.values():
        view += 0.3 * rng.normal(size=view.shape)
    for view in net.buffers.views.values():
        view[...] = rng.uniform(0.5, 1.5, view.shape)
    return net


def inputs(case: Any, net: Network, n: int = 3) -> Any:
    """x for a case, of the kind of values that it names."""
    rng = np.random.default_rng(1)

    def leaf(shape: tuple[int, ...], kind: str, values: str) -> np.ndarray:
        if kind == "index":
            return rng.integers(0, case.index_below, (n, *shape))
        drawn = rng.normal(size=(n, *shape))
        how = {"ties": np.round(2 * drawn), "large": 100 * drawn, "positive": np.abs(drawn) + 0.1}
        return how.get(values, drawn).astype(net.dtype)

    return map_leaves(leaf, net.input_shape, net.in_kind, case.values)


def leaves(x: Any) -> tuple[Any, ...]:
    """As the functions of an emitted module take them."""
    return tuple(named_leaves("x", x).values())


def namespace(text: str, name: str = "emitted") -> dict[str, Any]:
    """A module's names. The text was emitted by the test that asks for it."""
    found: dict[str, Any] = {"__name__": name}
    exec(compile(text, name, "exec"), found)
    return found
