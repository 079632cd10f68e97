"""Face models, geometry, networks, losses, training and inference engines. Needs neither Qt nor OpenGL."""
