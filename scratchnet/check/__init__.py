"""Gradient checks: of anyone's forward and backward, of layers, losses and whole networks."""

from .errors import CheckError
from .explain import Explanation
from .functions import check_gradients
from .layers import check_contract, check_layer, check_layer_gradients, check_objects, check_parity
from .losses import check_loss
from .networks import check_network
from .registry import check_layer_class, check_loss_class, check_registry
from .report import Fault, Finding, Proof, Report, Verdict

__all__ = [
    "CheckError",
    "Explanation",
    "Fault",
    "Finding",
    "Proof",
    "Report",
    "Verdict",
    "check_contract",
    "check_gradients",
    "check_layer",
    "check_layer_class",
    "check_layer_gradients",
    "check_loss",
    "check_loss_class",
    "check_network",
    "check_objects",
    "check_parity",
    "check_registry",
]
