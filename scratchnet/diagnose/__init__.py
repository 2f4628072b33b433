"""Why does this training run fail? Causes with their evidence, ranked."""
