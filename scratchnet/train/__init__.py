"""What surrounds a training loop: exact metrics, and how a run is shown and written down. The loop itself is yours."""

from .errors import HistoryError, NonFiniteError, RecordError, require_finite
from .fit import fit
from .history import History
from .history.reading import read_run
from .history.run_dir import RunDir
from .interrupt import CtrlC
from .metrics import Counts
from .norms import gradient_norms
from .recipe import Recipe
from .record import Record
from .session import session
from .shown.console import Report
from .watch.configuration import configuration
from .watch.monitor import Monitor

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
