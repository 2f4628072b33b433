"""A diagnosis as one page for a browser: nothing is loaded from anywhere, nothing in it is run."""

from .document import page, write_page

__all__ = ["page", "write_page"]
