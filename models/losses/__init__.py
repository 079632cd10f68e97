"""The losses of the coarse and the detail networks: one small function each.

Units: metres in space, -1 .. 1 across the crop in the picture, colours in 0..1; means over points, valid pixels or
texels.
"""
