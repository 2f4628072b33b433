"""Reading runs back: folders that scratchnet wrote, histories of other programs, the text of a console."""

from .read import read_run

__all__ = ["read_run"]
