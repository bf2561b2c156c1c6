"""training.cluster."""
