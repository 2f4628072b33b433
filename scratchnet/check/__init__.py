"""Gradient checks: of anyone's forward and backward, and of every layer and loss of the registries."""

from .errors import CheckError, VacuousError
from .explain import Explanation
from .functions import check_gradients
from .layers import check_contract, check_layer_gradients, check_objects, check_parity
from .losses import check_loss
from .report import Finding, Report, Verdict

__all__ = [
    "CheckError",
    "Explanation",
    "Finding",
    "Report",
    "VacuousError",
    "Verdict",
    "check_contract",
    "check_gradients",
    "check_layer_gradients",
    "check_loss",
    "check_objects",
    "check_parity",
]
