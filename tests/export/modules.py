"""What the tests of emitted Python share: networks, inputs, and the names of a module."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet import Network
from scratchnet.core.types import map_leaves, named_leaves
from scratchnet.export import python


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


def segments(store: Any) -> list[tuple[str, np.ndarray]]:
    """The arrays of a store, tied ones once."""
    return [(name, store.views[name]) for name in store.segments]


def agree_on_gradients(net: Network, x: Any) -> None:
    """Hold the emitted forward, backward and running statistics against the network's own, in float64."""
    module = namespace(python(net, with_backward=True))
    p = module["PARAMETERS"] | module.get("BUFFERS", {})
    want, tape = net.forward(x, training=True)
    got, saved, *updates = module["forward"](p, *leaves(x))
    close = 1e-9 if "erf" in module else 1e-12
    np.testing.assert_allclose(got, want, rtol=close, atol=close * np.abs(want).max())
    dlogits = np.random.default_rng(2).normal(size=want.shape)
    net.zero_grad()
    net.backward(dlogits, tape)
    gradients = module["backward"](p, saved, dlogits)
    largest = np.abs(net.gradients.flat).max()
    for (path, gradient), key in zip(segments(net.gradients), module["PARAMETERS"], strict=True):
        if key in gradients:
            np.testing.assert_allclose(gradients[key], gradient, rtol=close, atol=close * largest, err_msg=path)
        else:
            assert not gradient.any(), path
    for (_, running), key in zip(segments(net.buffers), module.get("BUFFERS", {}), strict=True):
        moved = updates[0].get(key, p[key]) if updates else p[key]  # a table of sines stays
        np.testing.assert_allclose(moved, running, rtol=1e-12, atol=1e-12)
