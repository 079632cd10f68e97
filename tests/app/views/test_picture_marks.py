"""What is drawn into the camera's picture."""

from __future__ import annotations

import numpy as np
from scipy.spatial import Delaunay

from app.views.picture_marks import mesh_edges
from models.face_model import load_face_model


def test_the_mesh_joins_neighbours() -> None:
    """The edges of SciPy's Delaunay triangulation, less the long ones around the hull."""
    model = load_face_model()
    places = model.embed(model.mean, model.landmarks478)
    corners = Delaunay(places[:, :2]).simplices
    wanted = {tuple(sorted(pair)) for c in corners.tolist() for pair in ((c[0], c[1]), (c[1], c[2]), (c[2], c[0]))}
    found = [tuple(sorted(pair)) for pair in mesh_edges(model).tolist()]
    assert len(found) == len(set(found)) > 1300
    lengths = {pair: float(np.linalg.norm(places[pair[0]] - places[pair[1]])) for pair in wanted}
    assert set(found) == {pair for pair, length in lengths.items() if length < 0.035}
