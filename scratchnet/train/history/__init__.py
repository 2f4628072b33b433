"""A run as records: what is written of it, a line each, how that is kept, and how it is read back from anywhere."""

from .history import History

__all__ = ["History"]
