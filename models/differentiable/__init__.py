"""Posing, projecting and shading a face in torch, with gradients."""
