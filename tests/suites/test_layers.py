"""Every layer of the registry against every check, under drawn cases: `pytest -k "Dense and gradients"` for one."""

import scratchnet.layers  # noqa: F401  (fills the registry)
from scratchnet.check.testing import full_suite
from scratchnet.core import LAYERS

test_layer = full_suite(*(LAYERS[name] for name in sorted(LAYERS)))
