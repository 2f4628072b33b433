"""The layer: hyper-parameters and four pure functions. `Dense` (layers/dense.py) is the model to read first."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, dataclass_transform

import numpy as np

from .case import Case, Draw
from .errors import ConfigError, ShapeError
from .initializers import Initializer
from .types import Array, Leaves, Shape, Views

if TYPE_CHECKING:
    from scratchnet_kernels import OpTable

    from .run import Run

REAL = (int, float, np.integer, np.floating)

LAYERS: dict[str, type[Layer]] = {}
"""Every layer class by name. The suites in tests/ walk it."""


@dataclass(frozen=True)
class ParamSpec:
    """A parameter or buffer: its shape, how it begins, and how an optimizer treats it.

    Attributes:
        shape: its extents.
        init: fills it, from a generator keyed by (seed, name).
        lr: multiplier of the learning rate.
        decay: multiplier of the weight decay.
    """

    shape: Shape
    init: Initializer
    lr: float = 1.0
    decay: float = 1.0


class Layer:
    """Base of every layer: a frozen dataclass of hyper-parameters and nothing else.

    A layer holds no arrays and no state of a call. It touches arrays only through `k`, the table of ops (views
    aside), and writes only into gradients, which it adds to, and into arrays that it got from `run`. Its Python
    control flow depends on hyper-parameters, shapes, dtypes, `run.training` and `run.need_dx`, never on values.
    """

    structures: ClassVar[tuple[type, ...]] = ()
    """The NamedTuples of arrays that the layer takes besides one array. in_shape and dx then come in the same form."""

    @property
    def in_kind(self) -> Leaves:
        """What the layer takes: "float" arrays, or "index" for whole numbers such as token ids.

        One for all leaves of a NamedTuple, or a NamedTuple of them.
        """
        return "float"

    def params(self, in_shape: Shape) -> Mapping[str, ParamSpec]:
        """The parameters by name; composites nest, and names join with dots."""
        return {}

    def buffers(self, in_shape: Shape) -> Mapping[str, ParamSpec]:
        """Arrays that are kept but not trained (running statistics)."""
        return {}

    def out_shape(self, in_shape: Shape) -> Shape:
        """The output's shape without the batch axis. Raises ShapeError where the input does not fit."""
        return in_shape

    def forward(self, k: OpTable, p: Views, x: Array, run: Run) -> tuple[Array, Any]:
        """Return (y, saved); `saved` is a NamedTuple of what the backward needs."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def backward(self, k: OpTable, p: Views, g: Views, saved: Any, dy: Array, run: Run) -> Leaves:
        """Add to `g` and return dx, or None where run.need_dx is false.

        Where x is a NamedTuple, so is dx, with None for leaves of whole numbers.
        """
        raise NotImplementedError(f"{type(self).__name__} has no backward")

    @classmethod
    def cases(cls, draw: Draw) -> Case:
        """One drawn case under which every check must hold. Small extents, all different; every option is drawn."""
        raise NotImplementedError(f"{cls.__name__} has no cases")

    def __repr__(self) -> str:
        """The layer's own source code: settings that equal their default are left out."""
        return source(self)

    def refuse(self, expected: object, actual: object, hint: str | None = None) -> ShapeError:
        """A ShapeError in the name of this layer."""
        return ShapeError(f"{type(self).__name__} cannot take this input", expected=expected, actual=actual, hint=hint)


def source(settings: Any) -> str:
    """A dataclass as the call that makes it; fields that equal their default are left out."""
    shown = []
    for f in dataclasses.fields(settings):
        value = getattr(settings, f.name)
        value = value.item() if isinstance(value, np.generic) else value  # np.int64(3) is no source without `np`
        if f.default is dataclasses.MISSING:
            shown.append(repr(value))
        elif value != f.default:
            shown.append(f"{f.name}={value!r}")
    return f"{type(settings).__name__}({', '.join(shown)})"


L = TypeVar("L", bound=Layer)


@dataclass_transform(frozen_default=True)
def layer(cls: type[L]) -> type[L]:
    """Make a class a frozen dataclass, with the `repr` of Layer, and enter it into `LAYERS`."""
    checks_fields(cls)
    made = dataclass(frozen=True, repr=False)(cls)
    known = LAYERS.get(made.__name__)
    if known is not None and known.__module__ != made.__module__:
        raise ConfigError(
            f"there are two layers called {made.__name__}",
            where=f"{made.__module__} and {known.__module__}",
            hint="names of layers are unique, because repr(layer) must be its source",
        )
    LAYERS[made.__name__] = made
    return made


def whole(value: object, least: float = 1) -> bool:
    """Whether it is a whole number, `least` or more. 3.0 is none, nor is True."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= least)


def checks_fields(cls: type[Any]) -> None:
    """Make a dataclass refuse what is no number in a float's place and no bool in a bool's, before its own checks.

    Raises ConfigError, at construction, naming the field. NaN is no number here; a string never meets a comparison.
    """
    own = getattr(cls, "__post_init__", None)

    def __post_init__(self: Any) -> None:  # noqa: N807  (the dataclass calls it by this name)
        for f in dataclasses.fields(self):
            value = getattr(self, f.name)
            if f.type == "float" and (not isinstance(value, REAL) or isinstance(value, bool) or value != value):
                raise ConfigError(f"{type(self).__name__}'s {f.name} is a number", actual=repr(value))
            if f.type == "bool" and not isinstance(value, bool | np.bool_):
                raise ConfigError(f"{type(self).__name__}'s {f.name} is True or False", actual=repr(value))
        if own is not None:
            own(self)

    cls.__post_init__ = __post_init__


def require(condition: bool, what: str, **facts: Any) -> None:
    """Refuse a hyper-parameter: `require(0 <= rate < 1, "Dropout's rate is a probability", actual=rate)`."""
    if not condition:
        raise ConfigError(what, **facts)
