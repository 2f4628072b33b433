"""Hypothesis strategies for whoever tests a backward: arrays in every layout, cotangents, geometries, layers, networks.

    from hypothesis import given
    from scratchnet.check.strategies import arrays, cotangents

    @given(x=arrays((3, 4)), dout=cotangents((3, 4)))
    def test_relu(x, dout):
        ...

Every strategy shrinks: towards few and small axes, "C" order, "normal" values, plain settings, the shortest layer.
Needs hypothesis: pip install "scratchnet[check]".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from scratchnet.core.case import Case
from scratchnet.core.errors import ConfigError
from scratchnet.core.layer import LAYERS
from scratchnet.core.types import Array, Shape

from .geometry import ConvGeometry, draw_geometry
from .layouts import LAYOUTS, VALUES, fill, lay_out
from .optional import missing
from .wiring import Kind, draw_network

try:
    from hypothesis import strategies as st
    from hypothesis.strategies import DataObject, DrawFn, SearchStrategy
except ImportError as error:
    raise missing("scratchnet.check.strategies", "hypothesis", "check") from error

__all__ = [
    "LAYOUTS",
    "VALUES",
    "ConvGeometry",
    "HypothesisDraw",
    "arrays",
    "batches",
    "cases",
    "conv_geometries",
    "cotangents",
    "indices",
    "layers",
    "networks",
    "seeds",
    "shapes",
]

T = TypeVar("T")


class HypothesisDraw:
    """The choices of a case (see scratchnet.core.Draw), made by hypothesis, so that failures shrink.

        @given(st.data())
        def test_cases(data):
            case = Dense.cases(HypothesisDraw(data))

    Args:
        source: what `st.data()` gives, or the `draw` of `st.composite`.
    """

    def __init__(self, source: DataObject | DrawFn) -> None:
        self._draw: Any = source.draw if isinstance(source, DataObject) else source

    def integer(self, low: int, high: int) -> int:
        """A whole number, low <= n <= high."""
        return int(self._draw(st.integers(low, high)))

    def one_of(self, *options: T) -> T:
        """One of the options."""
        option: T = self._draw(st.sampled_from(options))
        return option


def seeds() -> SearchStrategy[int]:
    """Seeds for np.random.default_rng and for the checks: `@given(seed=seeds())`."""
    return st.integers(0, 2**32 - 1)


def batches(least: int = 2, most: int = 4) -> SearchStrategy[int]:
    """Batch sizes, small, and two at least, so that rows can be mixed up: `@given(batch=batches())`."""
    return st.integers(least, most)


def shapes(
    min_dims: int = 1, max_dims: int = 4, min_side: int = 1, max_side: int = 6, *, max_size: int = 256
) -> SearchStrategy[Shape]:
    """Shapes of at most `max_size` elements; extents may be equal or not: `shapes(2, 2)` draws (1, 1), (3, 5), (4, 4).

    `min_side=0` draws empty arrays as well.
    """

    @st.composite
    def drawn(draw: DrawFn) -> Shape:
        shape: list[int] = []
        room = max_size
        for _ in range(draw(st.integers(min_dims, max_dims))):
            shape.append(draw(st.integers(min_side, max(min_side, min(max_side, room)))))
            room //= max(1, shape[-1])
        return tuple(shape)

    return drawn()


def arrays(
    shape: Shape | SearchStrategy[Shape],
    dtype: Any = "float64",
    *,
    layout: str | Sequence[str] = LAYOUTS,
    values: str | Sequence[str] = VALUES,
) -> SearchStrategy[Array]:
    """Arrays of floats or complex numbers, of every memory layout and every regime of values that is not excluded.

        arrays(shapes(2, 2), "float32", layout=("C", "F"), values=("normal", "ties"))

    Args:
        shape: the shape, or a strategy of shapes.
        dtype: a float or complex element type.
        layout: of LAYOUTS: "C", "F", "strided" (every second element, NaN between), "reversed" (a negative stride),
            "offset" (begins one element into its memory, so off any wide alignment), "broadcast" (an axis of stride 0:
            its entries are equal, and the array is read-only, as what np.broadcast_to returns is).
        values: of VALUES: "normal", "positive" (0.1 and up), "ties" (whole numbers from -2 to 2), "zeros" (of either
            sign), "constant" (all entries equal), "large" (normal times 100), "tiny" (denormal).

    Raises:
        ConfigError: for a layout, regime or element type that there is not.
    """
    layouts, regimes = _chosen("layout", layout, LAYOUTS), _chosen("values", values, VALUES)
    _inexact(dtype)

    @st.composite
    def drawn(draw: DrawFn) -> Array:
        extents = draw(shape) if isinstance(shape, SearchStrategy) else shape
        regime, order = draw(st.sampled_from(regimes)), draw(st.sampled_from(layouts))
        axis = draw(st.integers(0, max(0, len(extents) - 1)))
        return lay_out(fill(np.random.default_rng(draw(seeds())), extents, dtype, regime), order, axis)

    return drawn()


def indices(
    shape: Shape | SearchStrategy[Shape], below: int, dtype: Any = "int64", *, layout: str | Sequence[str] = LAYOUTS
) -> SearchStrategy[Array]:
    """Whole numbers from 0 to below - 1, as labels and token ids are: `indices((4,), below=3)`."""
    layouts = _chosen("layout", layout, LAYOUTS)

    @st.composite
    def drawn(draw: DrawFn) -> Array:
        extents = draw(shape) if isinstance(shape, SearchStrategy) else shape
        order, axis = draw(st.sampled_from(layouts)), draw(st.integers(0, max(0, len(extents) - 1)))
        rng = np.random.default_rng(draw(seeds()))
        return lay_out(rng.integers(0, below, extents).astype(dtype), order, axis)

    return drawn()


def cotangents(
    shape: Shape | SearchStrategy[Shape], dtype: Any = "float64", *, layout: str | Sequence[str] = LAYOUTS
) -> SearchStrategy[Array]:
    """What comes back from above, such that no mistake hides: of both signs, no two entries of one size.

        @given(dout=cotangents((4, 3)))

    Entries lie between 0.5 and 1.5 in size; real, also in a complex element type. A cotangent of ones, which many a
    check uses, cannot see a forgotten dout, nor a sum over the wrong axis. In the "broadcast" layout the entries along
    one axis are equal, as under a sum; an axis is chosen that leaves others to differ, where there is one.
    """
    layouts = _chosen("layout", layout, LAYOUTS)
    _inexact(dtype)

    @st.composite
    def drawn(draw: DrawFn) -> Array:
        extents = draw(shape) if isinstance(shape, SearchStrategy) else shape
        order, axis = draw(st.sampled_from(layouts)), draw(st.integers(0, max(0, len(extents) - 1)))
        rng = np.random.default_rng(draw(seeds()))
        if order == "broadcast":
            axes = [a for a, n in enumerate(extents) if n > 1 and int(np.prod(extents)) // n > 1]
            order, axis = ("broadcast", axes[axis % len(axes)]) if axes else ("C", 0)
        equal = [1 if order == "broadcast" and a == axis else n for a, n in enumerate(extents)]
        dout = rng.uniform(0.5, 1.5, equal) * rng.choice([-1.0, 1.0], equal)
        if dout.size > 1:
            one, other = rng.choice(dout.size, 2, replace=False)
            dout.flat[one], dout.flat[other] = abs(dout.flat[one]), -abs(dout.flat[other])
        return lay_out(np.broadcast_to(dout, extents).astype(dtype), order, axis)

    return drawn()


def conv_geometries(dims: int = 2, *, largest: int = 7) -> SearchStrategy[ConvGeometry]:
    """Geometries of a convolution of one axis or two, only such as fit: sizes, windows, strides, paddings, groups.

        @given(g=conv_geometries(), seed=seeds())
        def test_conv(g, seed):
            x, w = draw(seed, (2, *g.in_shape), g.weight_shape)
            assert my_conv(x, w, g.stride, g.padding).shape == (2, *g.out_shape)

    Paddings may differ from side to side. Shrinks to one pixel under a window of one.
    """

    @st.composite
    def drawn(draw: DrawFn) -> ConvGeometry:
        return draw_geometry(HypothesisDraw(draw), dims, largest=largest)

    return drawn()


def cases(cls: type[Any]) -> SearchStrategy[Case]:
    """Cases of a layer's (or loss's) own `cases`: `@given(case=cases(Dense), seed=seeds())`."""

    @st.composite
    def drawn(draw: DrawFn) -> Case:
        case: Case = cls.cases(HypothesisDraw(draw))
        return case

    return drawn()


def layers() -> SearchStrategy[Case]:
    """A case of any registered layer: `@given(case=layers())`, then `case.layer` on `case.in_shape`."""
    return st.sampled_from(sorted(LAYERS)).flatmap(lambda name: cases(LAYERS[name]))


def networks(kind: Kind | None = None, *, depth: int = 5, outputs: int | None = None) -> SearchStrategy[Case]:
    """Whole networks of registered layers that fit each other, as the case of one Sequential.

        @given(case=networks("conv", outputs=3))
        def test_it(case):
            net = Network(case.layer.layers, case.in_shape)

    Args:
        kind: of the input: "dense" (features,), "conv" (C, H, W) or "sequence" (T, features), which may begin with
            indices. Any of them if None.
        depth: the greatest number of layers, those for `outputs` not counted.
        outputs: end with so many numbers a sample, so that any loss fits.
    """

    @st.composite
    def drawn(draw: DrawFn) -> Case:
        return draw_network(HypothesisDraw(draw), kind, depth=depth, outputs=outputs)

    return drawn()


def _chosen(what: str, given: str | Sequence[str], known: Sequence[str]) -> list[str]:
    chosen = [given] if isinstance(given, str) else list(given)
    if not chosen or not set(chosen) <= set(known):
        raise ConfigError(f"unknown {what}", expected=" | ".join(known), actual=repr(given))
    return chosen


def _inexact(dtype: Any) -> None:
    if np.dtype(dtype).kind not in "fc":
        raise ConfigError(
            "a float or complex element type", actual=repr(dtype), hint="whole numbers are drawn by indices()"
        )
