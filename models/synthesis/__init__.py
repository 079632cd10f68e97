"""Faces with known truth: light, skin and rendered pictures of our own model."""
