"""A trained network as a file that needs no scratchnet: source to read and run, and exchange formats.

from scratchnet.export import export
export(net, "python", "model.py", facts={"data": "MNIST", "epochs": 10})
"""

from .errors import ExportError
from .targets import SUFFIXES, export, target_of, trial

__all__ = ["SUFFIXES", "ExportError", "export", "target_of", "trial"]
