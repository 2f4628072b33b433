"""Why does this training run fail? Causes with their evidence, ranked."""

from .cause import Cause, Evidence, Found, NotKnownError, known
from .diagnosis import Diagnosis, Finding, diagnose
from .registry import registry

__all__ = ["Cause", "Diagnosis", "Evidence", "Finding", "Found", "NotKnownError", "diagnose", "known", "registry"]
