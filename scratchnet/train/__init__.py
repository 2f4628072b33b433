"""What surrounds a training loop: exact metrics, and how a run is shown and written down. The loop itself is yours."""

from .configuration import configuration
from .console import Report
from .errors import HistoryError, NonFiniteError, RecordError, require_finite
from .fit import fit
from .history import History
from .interrupt import CtrlC
from .metrics import Counts
from .monitor import Monitor
from .norms import gradient_norms
from .reading import read_run
from .recipe import Recipe
from .record import Record
from .run_dir import RunDir
from .session import session

__all__ = [
    "Counts",
    "CtrlC",
    "History",
    "HistoryError",
    "Monitor",
    "NonFiniteError",
    "Recipe",
    "Record",
    "RecordError",
    "Report",
    "RunDir",
    "configuration",
    "fit",
    "gradient_norms",
    "read_run",
    "require_finite",
    "session",
]
