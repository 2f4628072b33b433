"""What surrounds a training loop: exact metrics, and how a run is shown and written down. The loop itself is yours."""

from .console import Report
from .errors import HistoryError, NonFiniteError, RecordError, require_finite
from .history import History
from .interrupt import CtrlC
from .metrics import Counts
from .norms import gradient_norms
from .reading import read_run
from .record import Record
from .run_dir import RunDir
from .session import session

__all__ = [
    "Counts",
    "CtrlC",
    "History",
    "HistoryError",
    "NonFiniteError",
    "Record",
    "RecordError",
    "Report",
    "RunDir",
    "gradient_norms",
    "read_run",
    "require_finite",
    "session",
]
