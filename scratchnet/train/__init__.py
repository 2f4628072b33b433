"""What surrounds a training loop: exact metrics, and how a run is shown and written down. The loop itself is yours."""

from .console import Report
from .errors import NonFiniteError, RecordError, require_finite
from .interrupt import CtrlC
from .metrics import Counts
from .norms import gradient_norms
from .record import Record
from .session import session

__all__ = [
    "Counts",
    "CtrlC",
    "NonFiniteError",
    "Record",
    "RecordError",
    "Report",
    "gradient_norms",
    "require_finite",
    "session",
]
