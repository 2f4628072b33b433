"""Parameters: their gradient as the loop left it beside that of this batch alone, and the update that followed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from scratchnet.core.initializers import fans
from scratchnet.core.network import Network
from scratchnet.core.types import Array
from scratchnet.layers import ConvTranspose2d, Embedding, PositionalEmbedding

from ...history.records import ParameterLook
from ..probe import Forward, Walk
from .factors import factors
from .numbers import Ruler, quotient

TABLES = Embedding, PositionalEmbedding  # rows that are looked up: nothing is summed over them


class Parameters:
    """Measures a network's parameters. `looks` before the step, `updated` after it."""

    def __init__(self, net: Network, ruler: Ruler) -> None:
        self._net, self._ruler = net, ruler
        self._before: Array | None = None

    def looks(self, walk: Walk) -> dict[str, ParameterLook]:
        """A record for every parameter, but for its update; tied ones once."""
        calls = {call.path: call for call in walk.forward}
        return {name: self._look(name, walk, _layer_of(name, calls)) for name in self._net.parameters.segments}

    def remember(self) -> None:
        """Keep the parameters as they are now."""
        if self._before is None:
            self._before = np.empty_like(self._net.parameters.flat)
        np.copyto(self._before, self._net.parameters.flat)

    def updated(self, looks: Mapping[str, ParameterLook]) -> dict[str, ParameterLook]:
        """The same records with the change since `remember`."""
        if self._before is None:
            return dict(looks)
        change = np.subtract(self._net.parameters.flat, self._before, out=self._before)
        segments = self._net.parameters.segments
        return {
            name: replace(look, update=self._ruler.norm(change[segments[name].start : segments[name].stop]))
            for name, look in looks.items()
        }

    def _look(self, name: str, walk: Walk, call: Forward | None) -> ParameterLook:
        net, segment = self._net, self._net.parameters.segments[name]
        p, g, fresh = net.parameters.views[name], net.gradients.views[name], walk.fresh.get(name)
        ruler, of, gradient = self._ruler, self._ruler.moments(p), self._ruler.norm(g)
        own = None if fresh is None else ruler.norm(fresh)
        linear = call is not None and p.ndim > 1 and not isinstance(call.layer, TABLES)
        back = walk.backward.get(call.path) if call is not None else None
        shares = None
        if call is not None and back is not None and name.endswith(".W") and name not in net.parameters.ties.values():
            shares = factors(ruler, call, back)
        return ParameterLook(
            size=p.size,
            fan_in=fans(p.shape)[0] if linear else None,
            std=of.std,
            gradient=gradient,
            weight=ruler.norm(p),
            fresh=own,
            ratio=None if own is None else quotient(gradient, own),
            cosine=None if fresh is None or own is None else _cosine(g, fresh, gradient * own),
            input=shares and shares.input,
            error=shares and shares.error,
            alignment=None if shares is None or own is None else _alignment(own, *shares),
            alike=_alike(p) if linear and call and not isinstance(call.layer, ConvTranspose2d) else None,
            frozen=segment.frozen,
            nonfinite=of.nonfinite + ruler.nonfinite(g),
        )


def _layer_of(name: str, calls: Mapping[str, Forward]) -> Forward | None:
    """The layer that a parameter belongs to: the longest path that its name begins with."""
    while name:
        name = name.rpartition(".")[0]
        if name in calls:
            return calls[name]
    return None


def _cosine(g: Array, fresh: Array, lengths: float) -> float | None:
    """g·fresh / (‖g‖ ‖fresh‖); None where one of them is 0, NaN where one is not finite."""
    if lengths == 0:
        return None
    if not math.isfinite(lengths):
        return math.nan
    return float(np.einsum("i,i->", g.reshape(-1), fresh.reshape(-1))) / lengths  # and no threads of BLAS


def _alignment(length: float, x: float, d: float) -> float | None:
    """‖dW‖ / (‖d‖ ‖x‖); None where there is nothing to align."""
    return length / (x * d) if x * d > 0 else None


def _alike(W: Array) -> float:
    """Share of rows of W, as (out, rest), that occur again."""
    rows = W.reshape(len(W), -1)
    if rows.size == 0:
        return 0.0
    first = np.sort(rows[:, 0])
    if not (first[1:] == first[:-1]).any():  # no two rows begin alike
        return 0.0
    rows = np.ascontiguousarray(rows) + 0.0  # -0 is 0
    keys = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
    _, counts = np.unique(keys, return_counts=True)
    return float(counts[counts > 1].sum() / len(rows))
