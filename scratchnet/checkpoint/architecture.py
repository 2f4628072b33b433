"""What a network is, apart from its numbers, as a description that JSON can hold; and the network made of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scratchnet.core.errors import ScratchnetError
from scratchnet.core.layer import LAYERS, Layer, whole
from scratchnet.core.network import Network
from scratchnet.core.sequential import Sequential
from scratchnet.core.types import Leaves, Shape, structured

from .errors import CheckpointError
from .source import layer_from_source, short

if TYPE_CHECKING:
    from collections.abc import Callable

DTYPES = ("float16", "float32", "float64")


def describe(net: Network) -> dict[str, Any]:
    """The network as plain values: layers (one source text each), input_shape, seed, dtype, ties, fuse.

    `build(describe(net))` is the network as it was when it was made. An input_shape of several leaves reads
    {"QueryMemory": {"query": [3, 8], "memory": [5, 8]}}.

    Raises CheckpointError, which names the layer, where one cannot be told by its source, such as a layer with an
    initialiser of the user's own; and for an element type that no file holds.
    """
    for layer in net.body.layers:
        _check_source(layer)
    if net.dtype.name not in DTYPES:
        raise CheckpointError("this element type is not kept in files", expected=" | ".join(DTYPES), actual=net.dtype)
    shape: Any = list(net.input_shape)
    if structured(net.input_shape):
        leaves = {field: list(leaf) for field, leaf in zip(net.input_shape._fields, net.input_shape, strict=True)}
        shape = {type(net.input_shape).__name__: leaves}
    return {
        "layers": [repr(layer) for layer in net.body.layers],
        "input_shape": shape,
        "seed": int(net.seed),
        "dtype": net.dtype.name,
        "ties": dict(net.parameters.ties),
        "fuse": net.fuse,
    }


def build(description: Mapping[str, Any], *, backend: str = "cpu") -> Network:
    """The network that a description tells of, with its first parameters.

    Raises:
        CheckpointError: the description is not one that `describe` writes.
        ScratchnetError: the layers refuse their settings or each other.
    """
    body, shape = body_of(description)
    settings = {
        "seed": _field(description, "seed", "a whole number, 0 or more", lambda seed: whole(seed, least=0)),
        "dtype": _field(description, "dtype", " | ".join(DTYPES), lambda dtype: dtype in DTYPES),
        "ties": _field(description, "ties", "names by names", _is_ties),
        "fuse": _field(description, "fuse", "true or false", lambda fuse: isinstance(fuse, bool)),
    }
    try:
        return Network(body, shape, backend=backend, **settings)
    except ScratchnetError:
        raise
    except Exception as error:  # such as an initialiser with settings that it does not check
        raise CheckpointError("this network cannot be built", where=short(body), actual=short(error)) from error


def body_of(description: Mapping[str, Any]) -> tuple[Sequential, Leaves]:
    """Layers and input shape, of which no memory has been taken yet. Raises what `build` raises."""
    texts = _field(description, "layers", "a list of texts", lambda layers: isinstance(layers, list))
    shape = _field(description, "input_shape", "a list, or an object of lists", lambda shape: True)
    return Sequential(*map(layer_from_source, texts)), _shape(shape)


def shapes_of(description: Mapping[str, Any]) -> dict[str, Shape]:
    """The shapes of parameters and buffers by name, of which no memory has been taken. Raises what `build` raises."""
    body, shape = body_of(description)
    specs = {**body.params(shape), **body.buffers(shape)}
    return {name: spec.shape for name, spec in specs.items()}


def _check_source(layer: Layer) -> None:
    """Refuse a layer that its source does not bring back."""
    try:
        again: Layer | None = layer_from_source(repr(layer))
    except ScratchnetError as error:
        again, reason = None, str(error)
    else:
        reason = f"its source makes {again!r}"
    if again != layer:
        raise CheckpointError(
            "this layer cannot be told by its source",
            where=repr(layer),
            expected="a registered layer whose settings are numbers, texts, layers, or initialisers of scratchnet",
            actual=reason,
        )


def _shape(given: Any) -> Leaves:
    """The shape of a sample, of one leaf or of a NamedTuple that a layer declares."""
    if isinstance(given, list) and all(whole(n, least=0) for n in given):
        return tuple(given)
    if isinstance(given, dict) and len(given) == 1:
        ((name, leaves),) = given.items()
        kinds: list[Any] = [structure for layer in LAYERS.values() for structure in layer.structures]
        for kind in kinds:
            if kind.__name__ == name and isinstance(leaves, dict) and sorted(leaves) == sorted(kind._fields):
                return kind(**{field: _shape(leaf) for field, leaf in leaves.items()})
    raise CheckpointError("no shape of a sample", expected="a list of whole numbers", actual=short(given))


def _is_ties(ties: Any) -> bool:
    return isinstance(ties, dict) and all(isinstance(name, str) for name in ties.values())


def _field(description: Mapping[str, Any], name: str, expected: str, fits: Callable[[Any], bool]) -> Any:
    value = description.get(name) if isinstance(description, Mapping) else None
    if value is None or not fits(value):
        raise CheckpointError("no description of a network", where=name, expected=expected, actual=short(value))
    return value
