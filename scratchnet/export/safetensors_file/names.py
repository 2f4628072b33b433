"""What PyTorch's state_dict calls a network's parameters and buffers. The layouts are the same already.

Positions are those of torch.nn.Sequential: a layer without parameters counts as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from scratchnet.core.composite import Composite
from scratchnet.core.layer import Layer
from scratchnet.layers import BatchNorm1d, BatchNorm2d, MultiHeadAttention
from scratchnet.layers._recurrent import Recurrent

from ..errors import ExportError

if TYPE_CHECKING:
    from scratchnet.core.network import Network

COMMON = {"W": "weight", "b": "bias", "gamma": "weight", "beta": "bias", "P": "weight"}
ATTENTION = {
    "in_proj.W": "in_proj_weight",
    "in_proj.b": "in_proj_bias",
    "out_proj.W": "out_proj.weight",
    "out_proj.b": "out_proj.bias",
}
STEPS = {"W_ih": "weight_ih_l0", "W_hh": "weight_hh_l0", "b_ih": "bias_ih_l0", "b_hh": "bias_hh_l0"}
COUNT = "num_batches_tracked"


def torch_names(net: Network, modules: Mapping[str, str] | None = None) -> dict[str, str]:
    """PyTorch's name by ours.

    Args:
        net: the network.
        modules: {"0": "fc1"}: what a layer is called where it is not called by its position. The longest name counts.

    Raises:
        ExportError: where no layer has such a name, or two arrays come to one name.
    """
    modules = dict(modules or {})
    found, used = {}, set()
    layers = dict(_leaves(net.body, ""))
    for name in net.views:
        path = max((p for p in layers if name.startswith(f"{p}.")), key=len)
        prefixes = [p for p in modules if f"{path}.".startswith(f"{p}.")]
        prefix = max(prefixes, key=len, default="")
        used.update(prefixes)
        module = modules[prefix] + path[len(prefix) :] if prefix else path
        found[name] = f"{module}.{_own(layers[path], name[len(path) + 1 :])}".lstrip(".")
    if modules.keys() - used:
        raise ExportError(
            "modules that no layer with parameters belongs to",
            expected=f"some of {', '.join(layers)}",
            actual=", ".join(sorted(modules.keys() - used)),
        )
    if len(set(found.values())) < len(found):
        raise ExportError("two arrays of one name", actual=", ".join(found.values()), hint="look at the module names")
    return found


def counts(net: Network, names: Mapping[str, str]) -> list[str]:
    """PyTorch's names for how many batches each BatchNorm has seen, a number that has no part in anything here."""
    norms = [path for path, layer in _leaves(net.body, "") if isinstance(layer, BatchNorm1d | BatchNorm2d)]
    return [names[f"{path}.running_mean"].removesuffix("running_mean") + COUNT for path in norms]


def _leaves(layer: Layer, path: str) -> Iterator[tuple[str, Layer]]:
    """(path, layer) of all that are no composites."""
    if not isinstance(layer, Composite):
        yield path, layer
        return
    for name, child in layer.children():
        yield from _leaves(child, f"{path}.{name}".lstrip("."))


def _own(layer: Layer, name: str) -> str:
    """An array's name in its module."""
    if isinstance(layer, MultiHeadAttention):
        return ATTENTION[name]
    if isinstance(layer, Recurrent):
        return STEPS[name] + "_reverse" * layer.reverse
    return COMMON.get(name, name)
