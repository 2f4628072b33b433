"""What surrounds a training loop: exact metrics, and how a run is shown and written down. The loop itself is yours."""

from .configuration import configuration
from .console import Report
from .errors import NonFiniteError, RecordError, require_finite
from .fit import fit
from .history import History
from .interrupt import CtrlC
from .metrics import Counts
from .monitor import Monitor
from .norms import gradient_norms
from .recipe import Recipe
from .record import Record
from .session import session

__all__ = [
    "Counts",
    "CtrlC",
    "History",
    "Monitor",
    "NonFiniteError",
    "Recipe",
    "Record",
    "RecordError",
    "Report",
    "configuration",
    "fit",
    "gradient_norms",
    "require_finite",
    "session",
]
