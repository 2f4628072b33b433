"""Why does this training run fail? Causes with their evidence, ranked."""

from .cause import Cause, Evidence, Found, NotKnownError, known
from .counterfactual import prove
from .diagnosis import Diagnosis, Finding, diagnose
from .proof import Outcome, Proof, Trial
from .registry import registry

__all__ = [
    "Cause",
    "Diagnosis",
    "Evidence",
    "Finding",
    "Found",
    "NotKnownError",
    "Outcome",
    "Proof",
    "Trial",
    "diagnose",
    "known",
    "prove",
    "registry",
]
