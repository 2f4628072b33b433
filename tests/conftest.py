"""Profiles of the property tests, and leased memory poisoned throughout."""

import os

from hypothesis import HealthCheck, settings

os.environ.setdefault("SCRATCHNET_DEBUG", "1")

_common = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
    "print_blob": True,
}
settings.register_profile("fast", max_examples=25, derandomize=True, database=None, **_common)
settings.register_profile("thorough", max_examples=1000, **_common)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))


def pytest_configure(config):
    config.addinivalue_line("markers", "real_data: needs a folder of real data sets in SCRATCHNET_DATA")
