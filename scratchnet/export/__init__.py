"""A trained network as a file that needs no scratchnet: source to read and run, and exchange formats."""
