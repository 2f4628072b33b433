"""How a run is shown: lines and tables in a terminal, a live line, pictures, plots."""
