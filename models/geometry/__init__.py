"""Geometry on triangle meshes and cameras: rotations, projection, rasteriser, normals, tension, outline."""
