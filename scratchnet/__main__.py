"""`python -m scratchnet` is the `scratchnet` command."""

from scratchnet.cli import main

if __name__ == "__main__":
    main(prog_name="scratchnet")
