"""What may be wrong with a run, a cause a file."""
