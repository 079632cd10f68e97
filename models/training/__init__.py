"""Training of the learned core: data, stages, the loop."""
