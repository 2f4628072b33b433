"""Whole networks, drawn by rule from the registry: any layer that takes the shape and lets a gradient through.

A new layer is taken up by itself: what it can be set to is learnt from its own `cases`, and whether it fits from its
`out_shape`.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from scratchnet.core.case import Case, Draw, RandomDraw, Values
from scratchnet.core.errors import ScratchnetError
from scratchnet.core.layer import LAYERS, Layer
from scratchnet.core.network import Network
from scratchnet.core.sequential import Sequential
from scratchnet.core.types import Shape, structured
from scratchnet.layers import Dense, Flatten

Kind = Literal["dense", "conv", "sequence"]

EXTENTS: dict[Kind, tuple[tuple[int, int], ...]] = {
    "dense": ((3, 8),),  # (features,)
    "conv": ((1, 3), (5, 7), (5, 8)),  # (C, H, W)
    "sequence": ((2, 5), (3, 6)),  # (T, features)
}
"""Least and greatest extent of each axis of the input."""

DRAWN = 24  # cases drawn from a layer's own `cases` to learn what it can be set to
LARGEST = 256  # numbers in one sample anywhere in the network: enough for every kind, little enough to check
ALIVE = 1e-3  # of the cotangent: normalising one value, or two without eps, leaves rounding in place of a gradient


def draw_network(draw: Draw, kind: Kind | None = None, *, depth: int = 5, outputs: int | None = None) -> Case:
    """Layers that fit each other, as the case of one Sequential. Every network has weights.

    Args:
        draw: the source of choices.
        kind: of the input: "dense" (features,), "conv" (C, H, W) or "sequence" (T, features), which may begin with
            indices. Any of them if None.
        depth: the greatest number of layers, those for `outputs` not counted.
        outputs: end with so many numbers a sample, through Flatten and Dense, so that any loss fits.
    """
    chosen: Kind = draw.one_of(*EXTENTS) if kind is None else kind
    in_shape: Shape = tuple(draw.integer(low, high) for low, high in EXTENTS[chosen])
    parts: list[Case] = []
    if chosen == "sequence" and (found := _index_layers(in_shape)) and draw.one_of(False, True):
        parts, in_shape = [draw.one_of(*found)], in_shape[:1]  # (T,) -> (T, features)
    shape: Shape = parts[0].layer.out_shape(in_shape) if parts else in_shape
    trained = bool(parts)
    for _ in range(draw.integer(1, depth)):
        kind_of_layer = draw.one_of(True, False) or not trained, draw.one_of(True, False) or not trained
        choices = _that_fit(shape, *kind_of_layer)
        part = draw.one_of(*choices[draw.one_of(*choices)])
        if lets_through(part.layer, shape):  # else the network is shorter by one
            parts.append(part)
            trained = trained or bool(part.layer.params(shape))
            shape = part.layer.out_shape(shape)
    if outputs is not None or not trained:
        head = Flatten(), Dense(outputs or draw.integer(2, 6))
        parts += [Case(layer, ()) for layer in (head[1:] if len(shape) == 1 else head)]
    return Case(
        Sequential(*(part.layer for part in parts)),
        in_shape,
        values="index" if parts[0].values == "index" else draw.one_of(*_values(parts)),
        index_below=parts[0].index_below,
        mixes_batch=any(part.mixes_batch for part in parts),
        random=any(part.random for part in parts),
    )


def lets_through(layer: Layer, shape: Shape, below: int = 0) -> bool:
    """Whether the gradient by x, or by the weights of a layer of indices, is more than rounding in a batch of two.

    Dropout(1.0) lets nothing through, nor does the norm of one value. Such a layer is right, but a network with it has
    nothing to check before it.
    """
    key = repr(layer), shape, below
    if key not in _LETS_THROUGH:
        _LETS_THROUGH[key] = _measured(layer, shape, below)
    return _LETS_THROUGH[key]


_LETS_THROUGH: dict[tuple[str, Shape, int], bool] = {}


def _measured(layer: Layer, shape: Shape, below: int) -> bool:
    rng = np.random.default_rng(0)
    net = Network([layer], shape, backend="reference", dtype="float64")
    for view in net.parameters.views.values():
        view += 0.3 * rng.normal(size=view.shape)
    x = rng.integers(0, below, (2, *shape)) if below else rng.normal(size=(2, *shape))
    y, tape = net.forward(x, training=True)
    dx = net.backward(rng.normal(size=y.shape), tape, need_dx=not below)
    return bool(np.abs(net.gradients.flat if dx is None else dx).max(initial=0.0) > ALIVE)


def settings(cls: type[Layer]) -> tuple[Case, ...]:
    """What a layer can be set to, as cases that differ in their layer or rank, the shortest source first.

    Left out are cases that need side inputs or several arrays, and layers without cases.
    """
    if cls not in _SETTINGS:
        found: dict[tuple[str, int], Case] = {}
        for seed in range(0 if cls is Sequential else DRAWN):  # the network is a Sequential already
            try:
                case = cls.cases(RandomDraw(np.random.default_rng([seed, 23])))
            except NotImplementedError:
                break
            if not (case.side or case.masks or structured(case.in_shape)):
                found.setdefault((repr(case.layer), len(case.in_shape)), case)
        _SETTINGS[cls] = tuple(found[key] for key in sorted(found, key=lambda key: (len(key[0]), key)))
    return _SETTINGS[cls]


_SETTINGS: dict[type[Layer], tuple[Case, ...]] = {}


def _that_fit(shape: Shape, trained: bool, special: bool) -> dict[str, list[Case]]:
    """Settings, by layer name, that take the shape: with weights or without, and made for so many axes alone or not.

    Where there are none, those of the other sort.
    """
    fit: dict[str, list[Case]] = {}
    other: dict[str, list[Case]] = {}
    for name, cls in sorted(LAYERS.items()):
        found = [case for case in settings(cls) if _fits(case.layer, shape, trained)]
        if found:
            one_rank = len({len(case.in_shape) for case in settings(cls)}) == 1
            (fit if one_rank == special else other)[name] = found
    return fit or other or {"Flatten": [Case(Flatten(), shape)]}


def _fits(layer: Layer, shape: Shape, trained: bool) -> bool:
    try:
        out = layer.out_shape(shape)
        return (
            layer.in_kind == "float"
            and bool(layer.params(shape)) == trained
            and len(out) > 0
            and 0 < math.prod(out) <= LARGEST
        )
    except ScratchnetError:
        return False


def _index_layers(shape: Shape) -> list[Case]:
    """Layers that make a sequence of as many axes as the shape has of a vector of indices."""
    found = [case for _, cls in sorted(LAYERS.items()) for case in settings(cls) if case.layer.in_kind == "index"]
    fit = [case for case in found if len(case.layer.out_shape(shape[:1])) == len(shape)]
    return [case for case in fit if lets_through(case.layer, shape[:1], case.index_below)]


def _values(parts: list[Case]) -> list[Values]:
    """How the input may be drawn: whole numbers too where every layer's own cases have them."""
    drawn = [{case.values for case in settings(type(part.layer))} for part in parts]
    return ["normal", "ties"] if all("ties" in values for values in drawn) else ["normal"]
