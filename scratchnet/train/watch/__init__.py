"""Watching a run: the monitor, its looks through the plain layers, and what is measured in them."""
